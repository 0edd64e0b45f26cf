'use strict';
/*
 * Programs the tests need beside Node, from Debian: `node test/debian-packages.js PROGRAM…`. What is
 * missing is installed where root or a sudo without password allows; elsewhere it is listed, exit code 1.
 */
const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

/** Program -> the package that brings it. */
const PACKAGES = {
  nginx: 'nginx-light',
  apache2: 'apache2',
  tshark: 'tshark',
  chromium: 'chromium',
  ip: 'iproute2',
  ethtool: 'ethtool',
  ping: 'iputils-ping',
  udhcpd: 'udhcpd',
  dnsmasq: 'dnsmasq-base',
  nft: 'nftables',
  setcap: 'libcap2-bin',
  'redis-server': 'redis-server',
  dovecot: 'dovecot-imapd',
  'pcap-config': 'libpcap-dev',
};

/** Keeps a package's service from starting when it is installed: the tests start their own nginx on a port of their own. */
const POLICY = '/usr/sbin/policy-rc.d';

/** @returns the program's path, or null; Debian keeps servers in sbin, which a user's PATH often leaves out. */
function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin'].filter(Boolean);
  for (const folder of folders) {
    const candidate = path.join(folder, name);
    try {
      fs.accessSync(candidate, fs.constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder: the next may have it.
    }
  }
  return null;
}

/** The words before a command that give it root, or null. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return findProgram('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : null;
}

function run(words) {
  const [command, ...args] = words;
  console.error(`> ${words.join(' ')}`);
  return spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}

function install(packages, prefix) {
  const apt = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-y', '-q', '-o', 'DPkg::Lock::Timeout=120'];
  const known = packages.every((name) => spawnSync('apt-cache', ['show', '--no-all-versions', name], { stdio: 'ignore' }).status === 0);
  if (!known) run([...apt, 'update']);
  const ownPolicy = !fs.existsSync(POLICY);
  if (ownPolicy) run([...prefix, 'sh', '-c', `printf '#!/bin/sh\\nexit 101\\n' > ${POLICY} && chmod 755 ${POLICY}`]);
  try {
    const words = [...apt, 'install', '--no-install-recommends', ...packages];
    // A list that is too old names files the mirror no longer has.
    return run(words) || (known && run([...apt, 'update']) && run(words));
  } finally {
    if (ownPolicy) run([...prefix, 'rm', '-f', POLICY]);
  }
}

/** @returns the programs that are still missing afterwards */
function ensurePrograms(names) {
  const missing = names.filter((name) => findProgram(name) === null);
  if (missing.length === 0) return [];
  const prefix = findProgram('apt-get') === null ? null : rootPrefix();
  if (prefix !== null) install(missing.map((name) => PACKAGES[name] ?? name), prefix);
  return missing.filter((name) => findProgram(name) === null);
}

module.exports = { findProgram, ensurePrograms };

if (require.main === module) {
  const missing = ensurePrograms(process.argv.slice(2));
  if (missing.length > 0) {
    console.error('The tests need programs that are not here and could not be installed (no root, no sudo without password, or no Debian mirror):');
    for (const name of missing) console.error(`  ${name.padEnd(10)} Debian package ${PACKAGES[name] ?? name}`);
    console.error(`Install them, for example: sudo apt-get install ${missing.map((name) => PACKAGES[name] ?? name).join(' ')}`);
    process.exit(1);
  }
}
