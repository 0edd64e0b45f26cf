// The smallest script: one request, one line.
import server from './server.json';

const response = await fetch(`http://${server.host}:${server.port}/hello.txt`);
print(response.status, response.statusMessage, response.error?.message ?? response.text().trim());
