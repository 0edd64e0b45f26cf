import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { PORT_SLICES } from '../../../../stack';
import { watchKernel } from '../../../../extension/worker/link/kernel-watch';
import { takePortSlice } from '../../../../extension/worker/link/port-slice';

describe('Slices of the ports of a shared address', () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-slices-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('are one per live instance, without an overlap, and free again once they are released', () => {
    const slices = Array.from({ length: PORT_SLICES }, () => takePortSlice(folder));
    const ports = new Set(slices.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i)));
    assert.equal(ports.size, slices.reduce((sum, { first, last }) => sum + last - first + 1, 0));
    assert.throws(() => takePortSlice(folder), { name: 'LinkFailure', message: /no slice of the ports .* is free: 16 instances/ });
    slices[5]?.release();
    slices[5]?.release();
    assert.equal(takePortSlice(folder).first, slices[5]?.first);
  });

  it('are taken over from an instance that was killed, without following a link', () => {
    const { first } = takePortSlice(folder);
    const [lock = ''] = fs.readdirSync(folder);
    const victim = path.join(folder, 'victim');
    // A pid that no process has, in a file that belongs to somebody else.
    fs.writeFileSync(victim, '999999999 1');
    fs.unlinkSync(path.join(folder, lock));
    fs.symlinkSync(victim, path.join(folder, lock));
    assert.equal(takePortSlice(folder).first, first);
    assert.equal(fs.readFileSync(victim, 'utf8'), '999999999 1');
  });

  it('are not to be had where the kernel gives out all ports itself, and the setting is named', () => {
    assert.throws(() => takePortSlice(folder, { first: 1_024, last: 65_535 }), { name: 'LinkFailure', message: /gives out the ports 1024 to 65535.*net\.ipv4\.ip_local_port_range/ });
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it('are not to be had where the folder cannot be used', () => {
    const file = path.join(folder, 'file');
    fs.writeFileSync(file, '');
    assert.throws(() => takePortSlice(path.join(file, 'in-a-file')), { name: 'LinkFailure' });
  });
});

describe('The watch over the kernel', () => {
  it('hears it refuse a connection on a port of ours', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    // Somebody listens there: the kernel answers as well.
    await new Promise<void>((resolve) => watchKernel(address.port, resolve));
    await new Promise((resolve) => server.close(resolve));
    await new Promise<void>((resolve) => watchKernel(address.port, resolve));
  });

  it('says nothing once it has ended', async () => {
    let heard = false;
    const end = watchKernel(1, () => (heard = true));
    end();
    end();
    // The refusal of another, later connection comes after that of the first would have.
    await new Promise<void>((resolve) => watchKernel(1, resolve));
    assert.equal(heard, false);
  });
});
