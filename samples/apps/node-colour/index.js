'use strict';

const http = require('http');
const { luminance } = require('bindings')('colour');

http
  .createServer((request, response) => {
    const match = /^\/([0-9a-f]{6})$/i.exec(request.url);
    if (!match) {
      response.writeHead(404).end('six hexadecimal digits, please\n');
      return;
    }
    const value = luminance(parseInt(match[1], 16));
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ luminance: Number(value.toFixed(4)), text: value > 0.179 ? 'black' : 'white' }));
  })
  .listen(process.env.PORT || 4000);

process.on('SIGTERM', () => process.exit(0));
