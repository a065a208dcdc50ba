Bun.serve({port:3000, fetch(){ return new Response('x') }});
await Bun.write('store/x.json','{}');
