// Asks for JSON, and sends some back.
interface Item {
  readonly id: number;
  readonly name: string;
}

const base = 'http://localhost:8080';

const found = await fetch(`${base}/items/1`);
if (found.ok) print('found', found.json<Item>().name);
else print('not found:', found.status, found.error?.message ?? found.statusMessage);

const changed = await fetch(`${base}/items/1`, { method: 'PATCH', body: { json: { name: 'Grace' } } });
print('changed:', changed.status, changed.text());
