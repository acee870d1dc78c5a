/** The files with which one sends to a landscape, below `dist/local/`: nobody but their owner can read them, since secrets are among them. */
import { chmod, mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

export interface Folder {
  /** @returns its path from the working directory, as a command names it */
  write(name: string, content: string): Promise<string>;
  /** Takes all of it away, with the secrets in it; folders of other landscapes stay. */
  remove(): Promise<void>;
}

/** Of the functions, where they are the user's own. */
export const FUNCTIONS = 'functions';

/** Takes the files of an earlier landscape away; folders in it are of one that runs. @param path from the working directory */
export async function openFolder(path: string): Promise<Folder> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
  const removeFiles = async () => {
    const files = (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isFile());
    await Promise.all(files.map(({ name }) => rm(join(path, name), { force: true })));
  };
  await removeFiles();
  return {
    write: async (name, content) => {
      const file = join(path, name);
      await writeFile(file, content, { mode: 0o600 });
      return relative('', file);
    },
    remove: async () => {
      await removeFiles();
      await rm(join(path, FUNCTIONS), { recursive: true, force: true, maxRetries: 3 });
      await rmdir(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY') throw error;
      });
    },
  };
}
