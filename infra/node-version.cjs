// Preloaded by every npm script, in syntax that any Node reads: one line instead of a stack trace on a Node that is too old.
'use strict';
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `token-relay needs Node 24, this is Node ${process.versions.node}. On Linux "npm ci" brings Node 24 along (do not pass --omit=optional); elsewhere install it from https://nodejs.org.`,
  );
  process.exit(1);
}
