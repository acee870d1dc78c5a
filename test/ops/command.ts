/** `npm run replay` as a process of its own, and what it printed. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Ran } from './dead-letters.ts';

export const COMMAND = resolve(import.meta.dirname, '../../infra/ops/replay/replay.ts');

/** @param child with pipes for both outputs */
export async function ended(child: ChildProcess): Promise<Ran> {
  if (child.stdout === null || child.stderr === null) throw new Error('no pipes');
  const [out, notes, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: Number(code), out, notes };
}
