import { sha256 } from '@noble/hashes/sha2.js';
import server from './server.json';

const response = await fetch(`http://${server.host}:${server.port}/large.bin`);
if (response.error) print(response.error.message);
print(response.status, response.body.length, Buffer.from(sha256(response.body)).toString('hex'));
