/**
 * Where the landscape listens: a block of ports in a row, always the same ones, so that a command that was saved works
 * tomorrow, too. Where one of them is taken, the next block that is free as a whole.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { LandscapePorts } from '../landscape.ts';

/** Of the first block, unless `--port` says otherwise. */
export const FIRST_PORT = 4710;
/** Of a block; the next one begins there. */
export const PORT_COUNT = 10;
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
  for (let block = 0; block < MOST_BLOCKS && first + (block + 1) * PORT_COUNT <= 65_536; block += 1) {
    const start = first + block * PORT_COUNT;
    const occupied = await firstTaken(start);
    if (occupied === undefined) return { ports: portsFrom(start), ...(taken === undefined ? {} : { taken }) };
    taken ??= occupied;
  }
  throw new Error(`no ${PORT_COUNT} ports in a row are free from ${first} on; choose others with --port`);
}

/** What people call first comes first. */
export function portsFrom(first: number): Ports {
  return {
    webhooks: first,
    page: first + 1,
    sqs: first + 2,
    secretsManager: first + 3,
    s3: first + 4,
    runtimeNode: first + 5,
    authorizationServer: first + 6,
    certificateHost: first + 7,
    aws: first + 8,
    issuers: first + 9,
  };
}

async function firstTaken(start: number): Promise<number | undefined> {
  for (let port = start; port < start + PORT_COUNT; port += 1) if (!(await isFree(port))) return port;
  return undefined;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch (error) {
    if (['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
