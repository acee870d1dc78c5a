/**
 * A second folder of the service, for a package that is put elsewhere: the framework always builds in `.serverless/` of the
 * folder that it runs in, removes what stands there before, and all of it afterwards where `--package` names another place.
 */
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const PACKAGE_FOLDER = '.serverless';

/** @returns what `work` makes in a temporary folder whose entries are links to all of the working directory's but `.serverless/` */
export async function inServiceFolder<Made>(work: (folder: string) => Promise<Made>): Promise<Made> {
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-service-'));
  try {
    const names = (await readdir('.')).filter((name) => name !== PACKAGE_FOLDER);
    await Promise.all(names.map((name) => symlink(resolve(name), join(folder, name))));
    return await work(folder);
  } finally {
    // Of the links, not of what they lead to.
    await rm(folder, { recursive: true });
  }
}
