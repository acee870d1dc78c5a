/**
 * esbuild plugins: parts of the SDK that a cold start of ours does not need are replaced by something smaller. One that
 * an update of the SDK has moved fails the build, so that the list stays true. The rest of the SDK that is never called
 * costs bytes, and no time that can be measured: `README.md`.
 */
import type { Plugin } from 'esbuild';

interface Part {
  /** Of the plugin; parts with one name save time together. */
  readonly name: string;
  /** The end of its path. */
  readonly file: string;
  /** The source in its place, given its path. */
  readonly instead: (path: string) => string;
}

const PARTS: readonly Part[] = [
  // The SDK's own HTTP client: ours is handed in (`functions/aws/request-handler.ts`), and gives bodies as bytes.
  {
    name: 'sdk-http-client',
    file: '/@smithy/node-http-handler/dist-es/index.js',
    instead: () => `
      export class NodeHttpHandler {
        static create(handler) { return handler; }
      }
      export function streamCollector() { throw new Error("streamCollector was left out of this bundle") }`,
  },
  // This and the next one load modules of Node for files. Either alone would load most of them, so that only both
  // together save time. Streams of files have a length, too; a request to Secrets Manager is a text.
  {
    name: 'sdk-files',
    file: '/@smithy/core/dist-es/submodules/serde/util-body-length/calculateBodyLength.js',
    instead: () => 'export const calculateBodyLength = (body) => Buffer.byteLength(body);',
  },
  // Looks for ~/.aws/config and ~/.aws/credentials, which no Lambda has, and loads `node:fs/promises` for it. The
  // original is loaded where there is one of the two.
  {
    name: 'sdk-files',
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

export function sdkParts(): Plugin[] {
  return PARTS.map(({ name, file, instead }) => ({
    name,
    setup({ onLoad, onEnd }) {
      let isFound = false;
      onLoad({ filter: new RegExp(`${file.replace(/[.]/g, '[.]')}$`) }, ({ path }) => {
        isFound = true;
        return { contents: instead(path), loader: 'js' };
      });
      onEnd(({ metafile }) => {
        const inputs = Object.keys(metafile?.inputs ?? {});
        if (isFound || !inputs.some((path) => path.includes('/@aws-sdk/client-secrets-manager/'))) return undefined;
        return { errors: [{ text: `there is no ${file} to leave out: infra/build/sdk-parts.ts` }] };
      });
    },
  }));
}
