// An IMAP dialogue (RFC 9051 and 3501) over the raw socket: logs in, stores a message, finds it, reads it and removes it.
// Needs an IMAP server that allows a login without TLS, and its address in mail.json.
import mail from './mail.json';
import { ImapClient } from './imap-client';

const MESSAGE = ['From: Riftnet <riftnet@example.com>', 'To: Ada <ada@example.com>', 'Subject: From a stack of its own', '', 'Every byte of this went through it.', ''].join('\r\n');

const client = await ImapClient.connect(mail.host, mail.port);
print('speaks IMAP4rev1:', client.greeting.includes('IMAP4rev1') || (await client.call('CAPABILITY')).some((line) => line.text.includes('IMAP4rev1')));
await client.call(`LOGIN ${quoted(mail.user)} ${quoted(mail.password)}`);

await client.append('INBOX', MESSAGE);
const selected = await client.call('SELECT INBOX');
print('messages:', /\* (\d+) EXISTS/.exec(selected.map((line) => line.text).join('\n'))?.[1]);

const found = (await client.call('SEARCH SUBJECT "stack of its own"')).find((line) => line.text.startsWith('* SEARCH'))?.text ?? '';
const number = found.split(' ').at(2) ?? '1';
const fetched = await client.call(`FETCH ${number} (BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[TEXT])`);
// What a message has in it comes as literals: so many bytes, whatever is in them.
for (const literal of fetched.flatMap((line) => line.literals)) print(literal.toString().trim());

await client.call(`STORE ${number} +FLAGS.SILENT (\\Deleted)`);
await client.call('EXPUNGE');
const after = await client.call('STATUS INBOX (MESSAGES)');
print('left:', /MESSAGES (\d+)/.exec(after.map((line) => line.text).join('\n'))?.[1]);

await client.logout();
print('closed by the server:', client.socket.status === 'fin' && client.socket.error === null);

/** A quoted string (RFC 9051 §4.3). */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}
