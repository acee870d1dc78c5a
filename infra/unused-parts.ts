/**
 * An esbuild plugin: parts of the SDK that a function of ours can never reach are left out of its bundle. Each is named by
 * its file, with the reason; one that an update of the SDK has moved fails the build, so that the list stays true.
 */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

interface UnusedPart {
  /** The end of its path. */
  readonly file: string;
  /** What stands in its place: whoever should come there after all is told. */
  readonly instead: (path: string) => string | Promise<string>;
}

const PARTS: readonly UnusedPart[] = [
  // SHA-256 in JavaScript, for a Node without OpenSSL: none of Lambda's.
  { file: '/@smithy/core/dist-es/submodules/checksum/sha256/Sha256Js.js', instead: () => unreachable('Sha256Js') },
  // Of the retry mode `adaptive`; ours is `standard` (`functions/aws/secrets-manager.ts`).
  {
    file: '/@smithy/core/dist-es/submodules/retry/util-retry/DefaultRateLimiter.js',
    instead: () => unreachable('DefaultRateLimiter'),
  },
  // Signs the headers of event streams, which Secrets Manager does not have. Made with each signer, used by none.
  {
    file: '/@smithy/signature-v4/dist-es/HeaderFormatter.js',
    instead: () => 'export class HeaderFormatter { format() { throw new Error("left out of this bundle") } }',
  },
  // Its version alone is read, for the header `User-Agent`.
  {
    file: '/@aws-sdk/client-secrets-manager/package.json',
    instead: async (path) =>
      `export const version = ${JSON.stringify(await versionIn(path))}; export default { version };`,
  },
];

function unreachable(name: string): string {
  return `export class ${name} { constructor() { throw new Error("${name} was left out of this bundle") } }`;
}

async function versionIn(path: string): Promise<string> {
  const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
  return version;
}

export function unusedParts(): Plugin {
  return {
    name: 'unused-parts',
    setup({ onLoad, onEnd }) {
      const found = new Set<UnusedPart>();
      const files = PARTS.map(({ file }) => file.replace(/[.]/g, '[.]')).join('|');
      onLoad({ filter: new RegExp(`(${files})$`) }, async ({ path }) => {
        const part = PARTS.find(({ file }) => path.endsWith(file));
        if (part === undefined) return undefined;
        found.add(part);
        return { contents: await part.instead(path), loader: 'js' };
      });
      onEnd(({ metafile }) => {
        const inputs = Object.keys(metafile?.inputs ?? {});
        if (!inputs.some((path) => path.includes('/@aws-sdk/client-secrets-manager/'))) return undefined;
        const missed = PARTS.filter((part) => !found.has(part));
        return {
          errors: missed.map(({ file }) => ({ text: `there is no ${file} to leave out: infra/unused-parts.ts` })),
        };
      });
    },
  };
}
