import express, { Request, Response } from 'express';
import { nanoid } from 'nanoid';
import { Store } from './store';

const store = new Store(process.env.LINKS_FILE ?? '/app/data/links.json');
const app = express();
app.use(express.json());

app.get('/', (_: Request, response: Response) => {
  response.type('text/plain').send('POST a url to /links\n');
});

app.post('/links', (request: Request, response: Response) => {
  const { url, id = nanoid(8) } = request.body as { url?: string; id?: string };
  if (!url || !URL.canParse(url)) return void response.status(400).json({ error: 'no url' });
  store.save({ id, url, visits: 0 });
  response.status(201).json({ id });
});

app.get('/:id', (request: Request, response: Response) => {
  const link = store.find(request.params.id);
  if (!link) return void response.status(404).json({ error: 'unknown' });
  store.save({ ...link, visits: link.visits + 1 });
  response.redirect(link.url);
});

app.listen(3000, () => console.log('listening on 3000'));
