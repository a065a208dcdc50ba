const express = require('express');
const fs = require('fs');
const morgan = require('morgan');
const path = require('path');

const uploads = path.join(__dirname, 'uploads');
fs.mkdirSync(uploads, { recursive: true });

const log = fs.createWriteStream(path.join(__dirname, 'access.log'), { flags: 'a' });
const app = express();
app.use(morgan('combined', { stream: log }));
app.use(express.static('public'));
app.use(express.text({ limit: '1mb' }));

const fileOf = (name) => path.join(uploads, path.basename(name) + '.txt');

app.get('/api/snippets', (request, response) => {
  response.json(fs.readdirSync(uploads).map((name) => path.parse(name).name).sort());
});

app.get('/api/snippets/:name', (request, response) => {
  const file = fileOf(request.params.name);
  if (!fs.existsSync(file)) return response.status(404).json({ error: 'no such snippet' });
  response.type('text/plain').send(fs.readFileSync(file));
});

app.post('/api/snippets/:name', (request, response) => {
  fs.writeFileSync(fileOf(request.params.name), request.body);
  response.status(201).json({ stored: request.params.name });
});

const port = process.env.PORT || 80;
app.listen(port, () => console.log(`listening on ${port}`));
