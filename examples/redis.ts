// A Redis client over the raw socket. Needs a Redis server: `redis-server --port 6379`, and the address in redis.json.
import redis from './redis.json';
import { RedisClient, RedisError } from './redis-client';

const client = await RedisClient.connect(redis.host, redis.port);
print(await client.call('PING'));

await client.call('DEL', 'riftnet:name', 'riftnet:count', 'riftnet:list');
print(await client.call('SET', 'riftnet:name', 'Ädä\r\nLovelace'));
print(JSON.stringify(await client.call('GET', 'riftnet:name')));
print(await client.call('GET', 'riftnet:nothing'));

// Sent at once, answered in order: one round trip for all.
print(await Promise.all(Array.from({ length: 5 }, () => client.call('INCR', 'riftnet:count'))));
await client.call('RPUSH', 'riftnet:list', 'a', 'b', 'c');
print(await client.call('LRANGE', 'riftnet:list', '0', '-1'));

const large = 'x'.repeat(5_000_000);
await client.call('SET', 'riftnet:name', large);
print((await client.call('GET', 'riftnet:name')) === large);

try {
  await client.call('INCR', 'riftnet:list');
} catch (error) {
  if (!(error instanceof RedisError)) throw error;
  print(error.message);
}
await client.call('DEL', 'riftnet:name', 'riftnet:count', 'riftnet:list');
client.close();
