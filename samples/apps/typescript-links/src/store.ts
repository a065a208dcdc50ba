import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export interface Link {
  id: string;
  url: string;
  visits: number;
}

export class Store {
  private readonly links = new Map<string, Link>();

  constructor(private readonly file: string) {
    if (existsSync(file)) {
      for (const link of JSON.parse(readFileSync(file, 'utf8')) as Link[]) this.links.set(link.id, link);
    }
  }

  find(id: string): Link | undefined {
    return this.links.get(id);
  }

  save(link: Link): void {
    this.links.set(link.id, link);
    writeFileSync(this.file, JSON.stringify([...this.links.values()]));
  }
}
