/**
 * An esbuild plugin: parts of the SDK that a cold start of ours does not need stand in its bundle as something smaller.
 * Each is named by its file, with the reason; one that an update of the SDK has moved fails the build, so that the list
 * stays true.
 */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

interface Part {
  /** The end of its path. */
  readonly file: string;
  /** What stands in its place, given its path: whoever should come where nothing is left is told. */
  readonly instead: (path: string) => string | Promise<string>;
}

const PARTS: readonly Part[] = [
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
  // The SDK's own HTTP client: ours is handed in (`functions/aws/secrets-manager.ts`), and gives bodies as bytes.
  {
    file: '/@smithy/node-http-handler/dist-es/index.js',
    instead: () => `
      export class NodeHttpHandler {
        static create(handler) { return handler; }
      }
      export function streamCollector() { throw new Error("streamCollector was left out of this bundle") }`,
  },
  // Knows streams of files, too, for which `node:fs` loads four modules of its own. A request of Secrets Manager is a text.
  {
    file: '/@smithy/core/dist-es/submodules/serde/util-body-length/calculateBodyLength.js',
    instead: () => 'export const calculateBodyLength = (body) => Buffer.byteLength(body);',
  },
  // Looks for ~/.aws/config and ~/.aws/credentials, which no Lambda has, and loads `node:fs/promises` for it. The original
  // is loaded where there is one of the two.
  {
    file: '/@smithy/core/dist-es/submodules/config/shared-ini-file-loader/loadSharedConfigFiles.js',
    instead: (path) => `
      import { existsSync } from 'node:fs';
      import { CONFIG_PREFIX_SEPARATOR } from './constants';
      import { getConfigFilepath } from './getConfigFilepath';
      import { getCredentialsFilepath } from './getCredentialsFilepath';
      export { CONFIG_PREFIX_SEPARATOR };
      export const loadSharedConfigFiles = async (init = {}) => {
        const { filepath = getCredentialsFilepath(), configFilepath = getConfigFilepath() } = init;
        const isThere = (file) => file.startsWith('~') || existsSync(file);
        if (!isThere(filepath) && !isThere(configFilepath)) return { configFile: {}, credentialsFile: {} };
        const { loadSharedConfigFiles } = await import(${JSON.stringify(path)});
        return loadSharedConfigFiles(init);
      };`,
  },
];

function unreachable(name: string): string {
  return `export class ${name} { constructor() { throw new Error("${name} was left out of this bundle") } }`;
}

async function versionIn(path: string): Promise<string> {
  const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
  return version;
}

export function sdkParts(): Plugin {
  return {
    name: 'sdk-parts',
    setup({ onLoad, onEnd }) {
      const found = new Set<Part>();
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
          errors: missed.map(({ file }) => ({ text: `there is no ${file} to leave out: infra/build/sdk-parts.ts` })),
        };
      });
    },
  };
}
