/**
 * Runs what follows with Node 24, Lambda's: the one that `npm ci` brought along, else the one at hand. In syntax that
 * any Node reads. The packages are called by their path, since npm 10 does not link the command of one of two packages
 * that offer the same; and they come first on the PATH, for tools that are started by name.
 */
'use strict';
const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const { constants } = require('node:os');
const { delimiter, dirname, resolve } = require('node:path');

const root = resolve(__dirname, '..');
const brought = resolve(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
const node = existsSync(brought) ? brought : process.execPath;

if (node === process.execPath && Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `token-relay needs Node 24, this is Node ${process.versions.node}. On Linux "npm ci" brings Node 24 along (do not pass --omit=optional); elsewhere install it from https://nodejs.org.`,
  );
  process.exit(1);
}

const path = [dirname(node), resolve(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);
const child = spawn(node, process.argv.slice(2), { stdio: 'inherit', env: { ...process.env, PATH: path } });
// A terminal's Ctrl-C reaches the child by itself, too: for who counts them, the same one within a second is one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code === null ? 128 + constants.signals[signal] : code));
