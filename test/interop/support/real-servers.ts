/** Debian's Redis and Dovecot on the loopback address, each with a configuration, a folder and a port of its own, without privileges. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort, waitForPort } from './nginx';
import { Programs } from './programs';

/** Whoever runs as root has them run as this user, in a folder of its own: as on a machine they would. */
const NOBODY = 65_534;

export interface RealServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface MailServer extends RealServer {
  readonly user: string;
  readonly password: string;
}

export async function startRedis(): Promise<RealServer> {
  const port = await freePort();
  return start('redis', port, (folder) => ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]);
}

/** IMAP without TLS, with one user. */
export async function startDovecot(): Promise<MailServer> {
  const port = await freePort();
  // What a quoted string has to escape is in it.
  const login = { user: 'ada', password: 'se"cr\\et' };
  const server = await start('dovecot', port, (folder, uid, gid) => {
    for (const name of ['mail', 'run', 'state']) fs.mkdirSync(path.join(folder, name));
    fs.writeFileSync(path.join(folder, 'users'), `${login.user}:{PLAIN}${login.password}:${uid}:${gid}::${folder}/mail::\n`);
    const config = path.join(folder, 'dovecot.conf');
    fs.writeFileSync(config, dovecotConfiguration(folder, port, nameOf('-nu', uid), nameOf('-ng', gid)));
    return ['dovecot', '-F', '-c', config];
  });
  return { ...server, ...login };
}

async function start(name: string, port: number, prepare: (folder: string, uid: number, gid: number) => string[]): Promise<RealServer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `riftnet-${name}-`));
  const isRoot = process.getuid?.() === 0;
  const [uid, gid] = isRoot ? [NOBODY, NOBODY] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const [program = '', ...args] = prepare(folder, uid, gid);
  if (isRoot) for (const entry of ['.', ...fs.readdirSync(folder)]) fs.chownSync(path.join(folder, entry), uid, gid);
  const programs = new Programs();
  const server = programs.startHere([findServer(program), ...args], isRoot ? { uid, gid, cwd: folder } : { cwd: folder });
  const stop = async () => {
    await server.stop();
    await programs.end();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitForPort(port, () => server.hasEnded);
  } catch (error) {
    const log = path.join(folder, 'log');
    const words = `${server.said}${fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : ''}`;
    await stop();
    throw new Error(`${name} did not start: ${words}`, { cause: error });
  }
  return { port, stop };
}

/** Debian puts servers in /usr/sbin, which is not in every user's PATH. */
function findServer(name: string): string {
  return ['/usr/sbin', '/usr/bin'].map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file)) ?? name;
}

/** @param option of id(1): `-nu` a user's name, `-ng` a group's */
function nameOf(option: '-nu' | '-ng', id: number): string {
  const own = option === '-nu' ? process.getuid?.() : process.getgid?.();
  if (id !== own) return option === '-nu' ? 'nobody' : 'nogroup';
  return execFileSync('id', [option]).toString().trim();
}

function dovecotConfiguration(folder: string, port: number, user: string, group: string): string {
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
default_internal_user = ${user}
default_internal_group = ${group}
default_login_user = ${user}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:${folder}/mail
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u ${folder}/users
}
userdb {
  driver = passwd-file
  args = username_format=%u ${folder}/users
}
# Only root may change its root.
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
`;
}
