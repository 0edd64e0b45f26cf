import { sha256 } from '@noble/hashes/sha2.js';
import { pattern } from './pattern';
import server from './server.json';

const body = Buffer.alloc(server.length);
let filled = 0;
for (const block of pattern(server.length)) filled += block.copy(body, filled);

const response = await fetch(`http://${server.host}:${server.port}/upload`, { method: 'PUT', body });
const told = response.json<{ length: number; sha256: string }>();
print(response.status, told.length, told.sha256);
print(Buffer.from(sha256(body)).toString('hex'));
