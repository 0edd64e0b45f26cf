/** Debian's mDNS responder, with nothing of the system's own: no D-Bus, no shared folder. */
import fs from 'node:fs';
import path from 'node:path';
import type { Host } from './namespaces';
import type { Programs } from './programs';

/** Answers for `NAME.local` on the host's `eth0`, once it has probed for the name. */
export async function startAvahi(programs: Programs, host: Host, folder: string, name: string): Promise<void> {
  const config = path.join(folder, 'avahi.conf');
  fs.writeFileSync(config, [
    '[server]', `host-name=${name}`, 'use-ipv4=yes', 'use-ipv6=no', 'allow-interfaces=eth0', 'enable-dbus=no',
    '[publish]', 'publish-hinfo=no', 'publish-workstation=no', '',
  ].join('\n'));
  // `ip netns exec` has given it mounts of its own: it keeps its pid in /run, where only one may be.
  const start = `mount -t tmpfs none /run && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits --file ${config}`;
  const daemon = programs.start(host, ['sh', '-c', start]);
  await daemon.until(/Server startup complete/);
}
