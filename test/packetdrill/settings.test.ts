/** Option lines and commands: what they set, and what is said of the rest. */
import assert from 'node:assert/strict';
import { interpretCommand } from './commands';
import { applyOptions, DEFAULT_SETTINGS } from './settings';
import { ScriptFailure, UnsupportedConstruct } from './syntax/script-error';

const option = (name: string, value: string | null = null) => [{ line: 3, name, value }];

describe('packetdrill: option lines', () => {
  it('set tolerance, addresses, ports and MTU', () => {
    const settings = applyOptions(DEFAULT_SETTINGS, [
      ...option('tolerance_usecs', '10000'), ...option('local_ip', '10.0.0.1'), ...option('remote_ip', '192.0.2.9/24'),
      ...option('bind_port', '80'), ...option('connect_port', '81'), ...option('mtu', '1300'), ...option('ip_version', 'ipv4'), ...option('strict_segments'),
    ]);
    assert.deepEqual(settings, {
      ...DEFAULT_SETTINGS, toleranceUs: 10_000, localAddress: 0x0a00_0001, remoteAddress: 0xc000_0209, bindPort: 80, connectPort: 81, mtu: 1300, strictSegments: true,
    });
  });

  it('fail with a bad value and are unsupported with an unknown name', () => {
    assert.throws(() => applyOptions(DEFAULT_SETTINGS, option('tolerance_usecs', 'x')), ScriptFailure);
    assert.throws(() => applyOptions(DEFAULT_SETTINGS, option('tolerance_usecs')), ScriptFailure);
    assert.throws(() => applyOptions(DEFAULT_SETTINGS, option('remote_ip', '300.1.1.1')), ScriptFailure);
    assert.throws(() => applyOptions(DEFAULT_SETTINGS, option('ip_version', 'ipv6')), UnsupportedConstruct);
    assert.throws(() => applyOptions(DEFAULT_SETTINGS, option('wire_client')), UnsupportedConstruct);
  });
});

describe('packetdrill: commands', () => {
  it('map sysctls, however written, to the stack\'s settings', () => {
    const { config, ignored } = interpretCommand(`sysctl -q net.ipv4.tcp_rmem="4096 65536 131072" net.ipv4.tcp_sack=0
      sysctl -w net/ipv4/tcp_timestamps=0 > /dev/null # comment
      ../common/set_sysctls.py /proc/sys/net/ipv4/tcp_fin_timeout=5; sysctl -q net.ipv4.tcp_congestion_control=reno && sysctl net.ipv4.tcp_ecn=2`);
    assert.deepEqual(config, { initialBufferBytes: 65_536, receiveBufferBytes: 131_072, sack: false, timestamps: false, finWait2TimeoutMs: 5_000, congestion: 'reno', ecn: 'passive' });
    assert.deepEqual(ignored, []);
  });

  it('map the pacing queue and the initial window of a route', () => {
    assert.deepEqual(interpretCommand('tc qdisc replace dev tun0 root fq').config, { pacing: true });
    assert.deepEqual(interpretCommand('ip route change 192.0.2.0/24 via 192.168.0.1 initcwnd 3').config, { initialWindowSegments: 3 });
  });

  it('know what packetdrill\'s own scripts begin with', () => {
    assert.deepEqual(interpretCommand('../../common/defaults.sh').config, { receiveBufferBytes: 15 << 20, ecn: 'off' });
  });

  it('report everything else, and run none of it', () => {
    const { config, ignored } = interpretCommand('../common/other.sh\nrm -rf /\nsysctl -q net.ipv4.tcp_fastopen=1\nsysctl net.ipv4.tcp_rmem=1\nsysctl net.ipv4.tcp_fin_timeout=0\necho net.ipv4.tcp_sack=0');
    assert.deepEqual(config, {});
    assert.deepEqual(ignored, ['../common/other.sh', 'rm -rf /', 'net.ipv4.tcp_fastopen=1', 'net.ipv4.tcp_rmem=1', 'net.ipv4.tcp_fin_timeout=0', 'echo net.ipv4.tcp_sack=0']);
  });
});
