import assert from 'node:assert/strict';
import { Allowance } from '../../../extension/worker/script/allowance';
import { FIRST_WINDOW_BYTES, MAX_READ_BYTES, SEND_QUEUE_BYTES } from '../../../extension/worker/script/channel';
import { ScriptPeer } from './script-peer';

const RESET = { code: 'ECONNRESET', message: 'reset' };

describe('A script\'s side of a connection', () => {
  describe('status', () => {
    it('is connecting, then connected', () => {
      const peer = new ScriptPeer();
      assert.equal(peer.channel.status, 'connecting');
      assert.equal(peer.channel.write(Buffer.from('early')), false);
      peer.connect();
      assert.equal(peer.channel.status, 'connected');
      assert.equal(peer.channel.localPort, 50_000);
      assert.deepEqual(peer.take(), ['open']);
    });

    it('shows the peer\'s close only when everything before it has been read, and closes our side with it', () => {
      const { channel } = new ScriptPeer().connect();
      channel.received(Buffer.from('last words'));
      channel.peerClosed();
      assert.equal(channel.status, 'connected');
      assert.equal(channel.readExactly(4)?.toString(), 'last');
      assert.equal(channel.status, 'connected');
      assert.equal(channel.readAll()?.toString(), ' words');
      assert.equal(channel.status, 'fin');
      assert.equal(channel.readAll(), null);
    });

    it('sends the close when fin shows', () => {
      const peer = new ScriptPeer().connect();
      peer.channel.received(Buffer.from('x'));
      peer.channel.peerClosed();
      assert.deepEqual(peer.take(), ['open']);
      peer.channel.readAll();
      assert.deepEqual(peer.take(), ['close']);
    });

    it('shows the peer\'s close to a read of more than is left, and still gives the rest', () => {
      const { channel } = new ScriptPeer().connect();
      channel.received(Buffer.from('rest'));
      channel.peerClosed();
      assert.equal(channel.readExactly(5), null);
      assert.equal(channel.status, 'fin');
      assert.equal(channel.readAll()?.toString(), 'rest');
    });

    it('shows a close at once if nothing is unread', () => {
      const { channel } = new ScriptPeer().connect();
      channel.peerClosed();
      assert.equal(channel.status, 'fin');
    });

    it('refuses writes at once after a reset, and shows the error when what came before has been read', () => {
      const { channel } = new ScriptPeer().connect();
      channel.received(Buffer.from('half'));
      channel.broken(RESET);
      assert.equal(channel.write(Buffer.from('x')), false);
      assert.equal(channel.status, 'connected');
      channel.failed(RESET);
      assert.equal(channel.status, 'connected');
      assert.equal(channel.readAll()?.toString(), 'half');
      assert.equal(channel.status, 'error');
      assert.deepEqual(channel.error, RESET);
    });

    it('is error when the connection cannot be opened', () => {
      const { channel } = new ScriptPeer();
      channel.failed({ code: 'ENOTFOUND', message: 'no such name' });
      assert.equal(channel.status, 'error');
    });

    it('is fin after a close of our own, also while connecting, and stays so after a late reset', () => {
      const peer = new ScriptPeer();
      peer.channel.close();
      peer.channel.close();
      assert.equal(peer.channel.status, 'fin');
      assert.deepEqual(peer.take(), ['open', 'close']);
      peer.connect();
      assert.equal(peer.channel.status, 'fin');
      peer.channel.failed(RESET);
      assert.equal(peer.channel.status, 'fin');
    });
  });

  describe('write', () => {
    it('hands over up to the credit, and the rest as it grows, in order', () => {
      const peer = new ScriptPeer().connect(4);
      assert.equal(peer.channel.write(Buffer.from('abcdef')), true);
      assert.equal(peer.channel.write(Buffer.from('ghi')), true);
      assert.equal(peer.text(), 'abcd');
      assert.equal(peer.channel.bufferedAmount, 9);
      peer.channel.credited(7, 4);
      assert.equal(peer.text(), 'abcdefg');
      assert.equal(peer.channel.bufferedAmount, 5);
      peer.channel.credited(100, 9);
      assert.equal(peer.text(), 'abcdefghi');
      assert.equal(peer.channel.bufferedAmount, 0);
    });

    it('copies: what the script does to its buffer later does not matter', () => {
      const peer = new ScriptPeer().connect(2);
      const bytes = Buffer.from('abcd');
      peer.channel.write(bytes);
      bytes.fill('x');
      peer.channel.credited(100, 0);
      assert.equal(peer.text(), 'abcd');
    });

    it('takes all or nothing when the queue is nearly full', () => {
      const { channel } = new ScriptPeer().connect(0);
      assert.equal(channel.write(Buffer.alloc(SEND_QUEUE_BYTES - 10)), true);
      assert.equal(channel.write(Buffer.alloc(11)), false);
      assert.equal(channel.bytesWritten, SEND_QUEUE_BYTES - 10);
      assert.equal(channel.write(Buffer.alloc(10)), true);
      assert.equal(channel.writableBytes, 0);
    });

    it('closes only after everything queued has been handed over', () => {
      const peer = new ScriptPeer().connect(0);
      peer.channel.write(Buffer.from('tail'));
      peer.channel.close();
      assert.equal(peer.channel.write(Buffer.from('late')), false);
      assert.deepEqual(peer.take(), ['open', 'closing']);
      assert.equal(peer.channel.flushed, false);
      peer.channel.credited(4, 0);
      assert.deepEqual(peer.take(), ['data 4', 'close']);
      assert.equal(peer.channel.flushed, true);
      assert.equal(peer.flushed, 1);
    });

    it('forgets the queue when it is aborted', () => {
      const peer = new ScriptPeer().connect(0);
      peer.channel.write(Buffer.from('never'));
      peer.channel.abort();
      peer.channel.credited(100, 0);
      assert.deepEqual(peer.take(), ['open', 'abort']);
    });
  });

  describe('read', () => {
    it('keeps nothing of the pipe\'s buffer, and joins pieces', () => {
      const { channel } = new ScriptPeer().connect();
      const large = Buffer.alloc(10_000, 1);
      channel.received(large);
      large.fill(0);
      assert.ok(channel.readAll()?.equals(Buffer.alloc(10_000, 1)));
      channel.received(Buffer.from('ab'));
      channel.received(Buffer.from('cd'));
      channel.received(Buffer.from('ef'));
      assert.equal(channel.readExactly(3)?.toString(), 'abc');
      assert.equal(channel.readExactly(4), null);
      assert.equal(channel.readAll()?.toString(), 'def');
      assert.equal(channel.readAll(), null);
      assert.equal(channel.bytesRead, 10_006);
    });

    it('gives an empty buffer for no bytes', () => {
      assert.equal(new ScriptPeer().connect().channel.readExactly(0)?.length, 0);
    });

    it('raises the credit to what a pending read asks for, whatever the window', () => {
      const peer = new ScriptPeer().connect();
      peer.turn();
      assert.equal(peer.limit, FIRST_WINDOW_BYTES);
      assert.equal(peer.channel.readExactly(MAX_READ_BYTES), null);
      peer.turn();
      assert.equal(peer.limit, MAX_READ_BYTES);
      peer.channel.received(Buffer.alloc(MAX_READ_BYTES));
      assert.equal(peer.channel.readExactly(MAX_READ_BYTES)?.length, MAX_READ_BYTES);
    });

    it('holds the peer up while nothing is read: the credit stays where it was', () => {
      const peer = new ScriptPeer().connect();
      peer.channel.received(Buffer.alloc(FIRST_WINDOW_BYTES));
      assert.deepEqual(peer.take(), ['open']);
      assert.equal(peer.limit, FIRST_WINDOW_BYTES);
      peer.channel.readAll();
      assert.deepEqual(peer.take(), ['credit']);
      assert.ok(peer.limit >= 2 * FIRST_WINDOW_BYTES);
    });

    it('doubles the window for a reader that uses it up, to a bound', () => {
      const peer = new ScriptPeer().connect();
      let read = 0;
      for (let i = 0; i < 20; i++) {
        peer.turn();
        const room = peer.limit - read;
        peer.channel.received(Buffer.alloc(room));
        read += peer.channel.readAll()?.length ?? 0;
      }
      peer.turn();
      assert.equal(peer.limit - read, 32 << 20);
    });

    it('refuses what the script\'s sockets may not hold together, and takes it when another read is done', () => {
      const allowance = new Allowance(1 << 20, 1_000_000);
      const one = new ScriptPeer({ allowance }).connect();
      const two = new ScriptPeer({ allowance }).connect();
      assert.equal(one.channel.readExactly(700_000), null);
      assert.equal(two.channel.readExactly(400_000), 'too-much');
      assert.equal(one.channel.readExactly(600_000), null);
      assert.equal(two.channel.readExactly(400_000), null);
      assert.equal(one.channel.readExactly(600_001), 'too-much');
      two.channel.close();
      assert.equal(one.channel.readExactly(1_000_000), null);
    });

    it('keeps no memory for windows of closed connections', () => {
      const allowance = new Allowance(8 << 20, 1 << 20);
      const windows = Array.from({ length: 200 }, () => {
        const peer = new ScriptPeer({ allowance, window: 1 << 20 }).turn();
        peer.channel.closed();
        return peer.limit;
      });
      assert.deepEqual(new Set(windows), new Set([1 << 20]));
    });

    it('gives later connections smaller windows, never none', () => {
      const allowance = new Allowance(8 << 20, 1 << 20);
      const windows = Array.from({ length: 200 }, () => new ScriptPeer({ allowance, window: 1 << 20 }).turn().limit);
      assert.equal(windows[0], 1 << 20);
      assert.equal(Math.min(...windows), 4 << 10);
      assert.ok(windows.reduce((sum, window) => sum + window, 0) <= (8 << 20) + 200 * (4 << 10));
    });
  });
});
