// One request, and what came back. A fetch never throws: a failed exchange has the status -1.
const response = await fetch('http://localhost:8080/');
if (response.error) print('failed:', response.error.code, response.error.message);
else print(response.status, response.headers['content-type'], `${response.body.length} bytes`);
