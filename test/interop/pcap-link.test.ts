/** The link over libpcap against the kernel's own network, in namespaces that the test makes: both bindings alike. */
import assert from 'node:assert/strict';
import { eachOnCable } from './support/each-test';
import type { Guest } from './support/guest';
import { OUR_ADDRESS, type PcapHosts } from './support/pcap-hosts';
import type { ScriptFolder } from './support/script-folder';

const LENGTH = 20 << 20;
const PORT = 7_000;

for (const binding of ['cap', 'libpcap'] as const) {
  describe(`The link over ${binding}`, function () {
    this.timeout(120_000);
    let hosts: PcapHosts;
    let folder: ScriptFolder;

    eachOnCable((made) => ({ hosts, folder } = made));

    async function echo(guest: Guest, bytes = LENGTH): Promise<void> {
      const result = await guest.perform({ do: 'echo', address: hosts.cable.theirAddress, port: PORT, bytes });
      const { sent, received, intact, error } = result;
      assert.deepEqual({ sent, received, intact, error }, { sent: bytes, received: bytes, intact: true, error: undefined });
    }

    /** Waits until the transfer has moved some of its bytes. */
    async function underWay(guest: Guest): Promise<void> {
      const deadline = performance.now() + 20_000;
      while (((await guest.counters()).link['rxBytes'] ?? 0) < 1 << 20) assert.ok(performance.now() < deadline, 'the transfer began');
    }

    for (const offloads of [true, false]) {
      it(`carries 20 MB each way, opened by either side, with offloads ${offloads ? 'on' : 'off'}`, async () => {
        hosts.ours.setOffloads(offloads);
        hosts.theirs.setOffloads(offloads);
        const guest = await hosts.guest({ binding });
        assert.deepEqual([guest.opened.binding, guest.opened.warnings], [binding, []]);
        await hosts.peer('echo-server', String(PORT));
        await echo(guest);
        await guest.perform({ do: 'serve', port: PORT });
        assert.equal(await hosts.peer('echo-client', OUR_ADDRESS, String(PORT), String(LENGTH)), `${LENGTH} intact`);

        const { stack } = await guest.counters();
        assert.equal(stack['tcp']?.['rxBadChecksum'], 0);
        assert.equal(stack['ethernet']?.['rxOwnEcho'], 0);
        const partial = stack['tcp']?.['rxPartialChecksum'] ?? 0;
        // Without offloads every sum is whole; one in 65 536 looks partial all the same.
        if (offloads) assert.ok(partial > 100, `${partial} partial checksums`);
        else assert.ok(partial < 10, `${partial} partial checksums`);
        assert.equal(await guest.stop(), 0);
      });
    }

    it('gets an address from BusyBox\'s udhcpd, and speaks from it', async () => {
      hosts.startDhcpServer(folder.path);
      const guest = await hosts.guestByDhcp(binding);
      await guest.until('an address', ({ address }) => address === '10.77.0.50');
      await hosts.peer('echo-server', String(PORT));
      await echo(guest, 1 << 20);
    });

    it('answers the kernel\'s ping', async () => {
      const guest = await hosts.guest({ binding });
      const questions = hosts.theirs.ping(OUR_ADDRESS, 5);
      await guest.untilCounter('icmp', 'txEchoReplies', questions);
    });

    it('ends its sockets when the interface goes down under a transfer, and works again when it is up', async () => {
      const guest = await hosts.guest({ binding });
      await hosts.peer('echo-server', String(PORT));
      const before = guest.messages.length;
      const transfer = guest.perform({ do: 'echo', address: hosts.cable.theirAddress, port: PORT, bytes: 1 << 27 });
      await underWay(guest);
      hosts.ours.ip('link', 'set', 'eth0', 'down');
      await guest.linkChange('down', before);
      const { received, error, message } = await transfer;
      assert.equal(error, 'ENETDOWN');
      assert.match(String(message), /eth0 is down/);
      assert.ok(Number(received) > 0, 'the transfer had begun');

      hosts.ours.ip('link', 'set', 'eth0', 'up');
      await guest.linkChange('up', before);
      await echo(guest, 1 << 20);
    });

    it('notices a short loss of the carrier, and works on', async () => {
      const guest = await hosts.guest({ binding });
      await hosts.peer('echo-server', String(PORT));
      const before = guest.messages.length;
      hosts.ours.ip('link', 'set', 'eth0', 'down');
      hosts.ours.ip('link', 'set', 'eth0', 'up');
      await guest.linkChange('up', before);
      await echo(guest, 1 << 20);
    });

    it('tells that the interface was deleted, and works again on one of the same name', async () => {
      hosts.startDhcpServer(folder.path);
      const guest = await hosts.guest({ binding });
      await hosts.peer('echo-server', String(PORT));
      const before = guest.messages.length;
      const transfer = guest.perform({ do: 'echo', address: hosts.cable.theirAddress, port: PORT, bytes: 1 << 27 });
      await underWay(guest);
      hosts.ours.ip('link', 'delete', 'eth0');
      await guest.linkChange('gone', before);
      assert.equal((await transfer)['error'], 'ENETDOWN');

      hosts.cable.plug();
      await guest.linkChange('up', before);
      await echo(guest, 1 << 20);
    });

    it('loses a leased address with the link, and asks for one again when it is back', async () => {
      hosts.startDhcpServer(folder.path);
      const guest = await hosts.guestByDhcp(binding);
      await guest.until('an address', ({ address }) => address === '10.77.0.50');
      const before = guest.messages.length;
      hosts.theirs.ip('link', 'set', 'eth0', 'down');
      await guest.linkChange('down', before);
      await guest.until('the address to be lost', ({ address }) => address === null, before);
      hosts.theirs.ip('link', 'set', 'eth0', 'up');
      await guest.linkChange('up', before);
      await guest.until('an address again', ({ address }) => address === '10.77.0.50', before);
    });

    it('follows a change of the MTU', async () => {
      const guest = await hosts.guest({ binding });
      await hosts.peer('echo-server', String(PORT));
      const before = guest.messages.length;
      for (const host of [hosts.ours, hosts.theirs]) host.ip('link', 'set', 'eth0', 'mtu', '1200');
      const { event } = await guest.linkChange('mtu-changed', before);
      assert.match(event?.message ?? '', /1200 bytes now, 1500 before/);
      await echo(guest, 1 << 20);
      assert.equal((await guest.counters()).link['badLength'], 0);
    });

    it('keeps timers running under a flood, and its memory bounded', async () => {
      const guest = await hosts.guest({ binding });
      await guest.perform({ do: 'bind-udp', port: 9 });
      const flood = hosts.peer('udp-flood', OUR_ADDRESS, '9', '3000');
      const { worst, rss } = await guest.perform({ do: 'lag', ms: 2_500 });
      const sent = Number(await flood);
      const { stack } = await guest.counters();
      assert.ok(sent > 1_000, `a flood of ${sent} datagrams`);
      assert.ok((stack['udp']?.['rxDatagrams'] ?? 0) > sent / 100, `${stack['udp']?.['rxDatagrams']} of ${sent} arrived`);
      // A handler that does the stack's work in the capture's callback holds them up for as long as the flood lasts, 3 s.
      assert.ok(Number(worst) < 1_500, `a timer was ${worst} ms late`);
      assert.ok(Number(rss) < 400 << 20, `${rss} bytes of memory`);
    });

    it('drops and counts what finds its queue full, and goes on', async () => {
      const guest = await hosts.guest({ binding, kernelBufferBytes: 1 << 20, queueBytes: 1 << 18 });
      const flood = hosts.peer('udp-flood', OUR_ADDRESS, '9', '1500');
      await guest.perform({ do: 'stall', ms: 1_000 });
      await flood;
      // `cap` hides the kernel's count; libpcap has no queue but the kernel's.
      if (binding === 'libpcap') await guest.untilCounter('link', 'rxKernelDropped', 100);
      await hosts.peer('echo-server', String(PORT));
      await echo(guest, 1 << 20);
    });

    it('keeps a burst that comes while the process stands still: 500 frames where an offload is on, 20 000 where none is', async () => {
      // ARP among others: nobody is 10.77.0.9.
      const frame = 'ffffffffffff024242000001080600010800060400010242420000010a4d00090000000000000a4d00020000';
      const keeps = async (burst: number): Promise<void> => {
        const guest = await hosts.guest({ binding });
        const before = (await guest.counters()).link['rxFrames'] ?? 0;
        guest.child.kill('SIGSTOP');
        assert.equal(await hosts.peer('send-frame', frame, String(burst)), String(burst));
        guest.child.kill('SIGCONT');
        await guest.untilCounter('link', 'rxFrames', before + burst);
        assert.equal(await guest.stop(), 0);
      };
      // A slot of libpcap's ring holds 64 KiB there, for what an offload joins.
      await keeps(500);
      hosts.ours.setOffloads(false);
      await keeps(20_000);
    });

    it('takes frames that have only a priority, and counts those of a VLAN', async () => {
      const guest = await hosts.guest({ binding });
      // An ARP request from the kernel's host for our address, once with each tag; nobody is 10.77.0.9.
      for (const [tag, wanted] of [['2000', [3, 0]], ['2005', [0, 3]]] as const) {
        const frame = `ffffffffffff0242420000018100${tag}080600010800060400010242420000010a4d00090000000000000a4d0002`;
        const before = await guest.counters();
        assert.equal(await hosts.peer('send-frame', frame, '3'), '3');
        if (tag === '2000') await guest.untilCounter('arp', 'rxRequests', (before.stack['arp']?.['rxRequests'] ?? 0) + 3);
        else await guest.untilCounter('link', 'rxVlanTagged', (before.link['rxVlanTagged'] ?? 0) + 3);
        const after = await guest.counters();
        const requests = (after.stack['arp']?.['rxRequests'] ?? 0) - (before.stack['arp']?.['rxRequests'] ?? 0);
        assert.deepEqual([requests, (after.link['rxVlanTagged'] ?? 0) - (before.link['rxVlanTagged'] ?? 0)], wanted);
      }
    });

    it('says why it cannot open an interface', async () => {
      const guest = await hosts.guest({ binding, interface: 'nosuch0' });
      assert.match(guest.opened.failures?.[0]?.reason ?? '', /there is no interface "nosuch0": there are eth0, lo/);
      hosts.ours.ip('link', 'set', 'eth0', 'down');
      const other = await hosts.guest({ binding });
      assert.match(other.opened.failures?.[0]?.reason ?? '', /the interface eth0 is down: bring it up/);
    });
  });
}
