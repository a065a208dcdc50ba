import { cpSync, mkdirSync } from 'node:fs';
import { build } from 'esbuild';

mkdirSync('build', { recursive: true });
cpSync('public', 'build', { recursive: true });
await build({
  entryPoints: ['src/main.jsx'],
  bundle: true,
  minify: true,
  jsxFactory: 'h',
  jsxFragment: 'Fragment',
  outfile: 'build/app.js',
  define: { API: JSON.stringify(process.env.SHOP_API ?? '/api') },
});
