/**
 * Where the landscape listens: always at the same ports of a block of a hundred, so that a command that was saved works
 * tomorrow, too. Where one of them is taken, the next block in which all of them are free. The last port of a block is held
 * while the landscape runs, so that two that start at once do not take the same.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { LandscapePorts } from '../landscape.ts';

/** Of the first block, unless `--port` says otherwise. */
export const FIRST_PORT = 4100;
/** Of a block; the next one begins there. */
export const BLOCK_SIZE = 100;
/** How many blocks are tried. */
const MOST_BLOCKS = 20;

export interface Ports extends LandscapePorts {
  readonly webhooks: number;
  readonly page: number;
  /** Of the issuers of tokens for webhooks. */
  readonly issuers: number;
}

export interface FoundPorts {
  readonly ports: Ports;
  /** The first of those wanted that somebody else listens on. Absent: they are as wanted. */
  readonly taken?: number;
}

/** @throws Error if no block is free */
export async function findPorts(first: number): Promise<FoundPorts> {
  let taken: number | undefined;
  for (let block = 0; block < MOST_BLOCKS && first + (block + 1) * BLOCK_SIZE <= 65_536; block += 1) {
    const start = first + block * BLOCK_SIZE;
    const occupied = (await firstTaken(start)) ?? (await claim(start));
    if (occupied === undefined) return { ports: portsFrom(start), ...(taken === undefined ? {} : { taken }) };
    taken ??= occupied;
  }
  throw new Error(`the landscape's ports are taken from ${first} on; choose others with --port`);
}

export function portsFrom(first: number): Ports {
  return {
    page: first,
    authorizationServer: first + 10,
    certificateHost: first + 11,
    runtimeNode: first + 12,
    webhooks: first + 80,
    issuers: first + 81,
    aws: first + 90,
    sqs: first + 91,
    secretsManager: first + 92,
    s3: first + 93,
  };
}

async function firstTaken(start: number): Promise<number | undefined> {
  for (const port of Object.values(portsFrom(start))) if (!(await isFree(port))) return port;
  return undefined;
}

/** Holds the block until the process ends. @returns the port if somebody else holds it */
async function claim(start: number): Promise<number | undefined> {
  const port = start + BLOCK_SIZE - 1;
  const server = await listen(port);
  server?.unref();
  return server === undefined ? port : undefined;
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server === undefined) return false;
  server.close();
  await once(server, 'close');
  return true;
}

/** @returns undefined where that port is taken */
async function listen(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
