/** The stack with its computer's own address and MAC, beside the computer's kernel: neither may harm the other. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { portSlice, sharedPorts } from '../../stack';
import { eachOnLan } from './support/each-test';
import type { Guest } from './support/guest';
import type { Programs } from './support/programs';
import type { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';
import { unsoundSums, type WireCapture } from './support/wire-capture';

const PORT = 7_000;
const MEGABYTE = 1 << 20;

for (const binding of ['cap', 'libpcap'] as const) {
  describe(`An address shared with the kernel, over ${binding}`, function () {
    this.timeout(120_000);
    let lan: Lan;
    let programs: Programs;
    let folder: ScriptFolder;
    /** Of the computer's cable, at the router's end. */
    let wire: WireCapture;

    eachOnLan(async (made) => {
      ({ lan, programs, folder } = made);
      wire = await programs.capture(lan.router, 'port0', path.join(folder.path, 'wire.pcapng'));
      await programs.peer(lan.server, 'echo-server', String(PORT)).line();
    }, { offloads: false });

    /** The one table that keeps the kernel from answering for the stack's ports. */
    function keepKernelOff(): void {
      const { first, last } = sharedPorts();
      const rules = `tcp dport ${first}-${last} drop; udp dport ${first}-${last} drop`;
      lan.host.run('nft', `table inet riftnet_shared { chain prerouting { type filter hook prerouting priority raw; policy accept; ${rules}; }; }`);
    }

    function guest(slot = 0): Promise<Guest> {
      return programs.guest(lan.host, { binding, mac: 'interface', address: LAN.host, gateway: LAN.router, sharedPorts: portSlice(sharedPorts(), slot) });
    }

    async function echo(from: Guest, bytes: number): Promise<void> {
      const { sent, received, intact, error } = await from.perform({ do: 'echo', address: WAN.server, port: PORT, bytes });
      assert.deepEqual({ sent, received, intact, error }, { sent: bytes, received: bytes, intact: true, error: undefined });
    }

    /** Of the computer: its kernel and the stack alike. */
    function fromHost(): string {
      return `eth.src == ${lan.host.run('cat', '/sys/class/net/eth0/address').trim()}`;
    }

    /**
     * The computer has sent no reset and no unreachable. (A server can send a reset where all is well: on a busy
     * machine it repeats a FIN that was acknowledged late, and the ACK of the second finds nobody any more.)
     */
    async function assertHarmless(): Promise<void> {
      assert.deepEqual(await wire.frames(`${fromHost()} && tcp.flags.reset == 1`), [], 'resets');
      assert.deepEqual(await wire.frames('icmp.type == 3'), [], 'unreachables');
    }

    it('carries flows of both without a reset or an unreachable on the wire', async () => {
      keepKernelOff();
      await programs.peer(lan.server, 'udp-echo-server', String(PORT)).line();
      await programs.peer(lan.host, 'echo-server', '8000').line();
      const ours = await guest();

      const outward = programs.peer(lan.host, 'echo-client', WAN.server, String(PORT), String(5 * MEGABYTE));
      const inward = programs.peer(lan.server, 'echo-client', LAN.host, '8000', String(5 * MEGABYTE));
      await Promise.all([echo(ours, 5 * MEGABYTE), echo(ours, 100_000), echo(ours, 1)]);
      for (let i = 0; i < 5; i++) {
        // More than a frame holds: fragments both ways, of which only the first shows a port.
        const { received, intact } = await ours.perform({ do: 'echo-udp', address: WAN.server, port: PORT, bytes: 4_000 });
        assert.deepEqual({ received, intact }, { received: 4_000, intact: true });
      }
      assert.deepEqual([await outward.line(), await inward.line()], Array(2).fill(`${5 * MEGABYTE} intact`));

      const { stack } = await ours.counters();
      assert.equal(stack['tcp']?.['txResets'], 0);
      assert.equal(await ours.stop(), 0);
      await wire.stop();
      assert.ok((await wire.frames(`tcp.srcport == ${PORT}`)).length > 100, 'the capture has the flows');
      await assertHarmless();
      assert.deepEqual(await wire.frames(unsoundSums(`ip.src == ${LAN.host} && tcp.srcport >= ${sharedPorts().first}`)), [], 'sums that are wrong');
    });

    it('leaves to the kernel what is the kernel\'s: each question gets one answer', async () => {
      keepKernelOff();
      const ours = await guest();
      await echo(ours, 1_000);
      // The router and the server forget the computer's MAC address, and ask again.
      lan.router.ip('neigh', 'flush', 'all');
      lan.server.run('ping', '-c', '3', '-i', '0.05', '-W', '2', LAN.host);
      assert.match(await programs.peer(lan.server, 'echo-client', LAN.host, '8001', '1').line(), /ECONNREFUSED/);
      lan.server.run('bash', '-c', `echo closed > /dev/udp/${LAN.host}/8002`);
      // Ports of another instance, and of nobody: no answer at all.
      const { last } = sharedPorts();
      lan.server.run('bash', '-c', `echo nobody > /dev/udp/${LAN.host}/${last}`);
      await echo(ours, 1_000);
      const { stack } = await ours.counters();
      await wire.stop();

      const host = fromHost();
      const count = async (filter: string): Promise<number> => (await wire.frames(filter)).length;
      const asked = await count(`arp.opcode == 1 && arp.dst.proto_ipv4 == ${LAN.host}`);
      assert.ok(asked > 0, 'the router has asked');
      assert.equal(await count(`arp.opcode == 2 && arp.src.proto_ipv4 == ${LAN.host}`), asked);
      assert.equal(await count('icmp.type == 8'), 3);
      assert.equal(await count('icmp.type == 0'), 3);
      assert.equal(await count(`${host} && tcp.flags.reset == 1`), 1);
      assert.equal(await count(`${host} && tcp.flags.reset == 1 && tcp.srcport == 8001`), 1);
      assert.equal(await count(`${host} && icmp.type == 3`), 1);
      assert.equal(await count('icmp.type == 3 && udp.dstport == 8002'), 1);
      assert.deepEqual([stack['arp']?.['txReplies'], stack['icmp']?.['txEchoReplies'], stack['icmp']?.['txErrors'], stack['tcp']?.['txResets']], [0, 0, 0, 0]);
    });

    it('hears ICMP errors about its own flows', async () => {
      keepKernelOff();
      const ours = await guest();
      const { error, message } = await ours.perform({ do: 'connect', address: '10.99.0.1', port: 80 });
      assert.equal(error, 'ENETUNREACH', String(message));
      lan.router.run('nft', `table ip closed { chain forward { type filter hook forward priority 0; tcp dport 81 reject with icmp type admin-prohibited; }; }`);
      assert.equal((await ours.perform({ do: 'connect', address: WAN.server, port: 81 }))['error'], 'EACCES');
    });

    it('is shared by two instances at once, each in its slice', async () => {
      keepKernelOff();
      const [first, second] = await Promise.all([guest(0), guest(1)]);
      await Promise.all([echo(first, 5 * MEGABYTE), echo(second, 5 * MEGABYTE)]);
      const ports = async (of: Guest): Promise<number[]> => {
        const { sockets } = (await of.perform({ do: 'sockets' })) as { sockets: { localPort: number }[] };
        return sockets.map(({ localPort }) => localPort);
      };
      for (const [of, slot] of [[first, 0], [second, 1]] as const) {
        const slice = portSlice(sharedPorts(), slot);
        for (const port of await ports(of)) assert.ok(port >= slice.first && port <= slice.last, `port ${port} of slot ${slot}`);
      }
      await Promise.all([first.stop(), second.stop()]);
      await wire.stop();
      await assertHarmless();
    });

    it('is not to be had without the table: the kernel resets what it does not know', async () => {
      const ours = await guest();
      const { error } = await ours.perform({ do: 'echo', address: WAN.server, port: PORT, bytes: 1_000 });
      assert.equal(error, 'ECONNRESET');
    });
  });
}
