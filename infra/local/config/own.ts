/** `npm start -- --config`: the landscape with the user's destinations on it, and what to copy. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ports } from '../command/ports.ts';
import { type Deployed, type Landscape, type LandscapeOptions, startLandscape } from '../landscape.ts';
import { connectOwn, entriesOf, needsIssuers, needsTls } from './connect.ts';
import { writeFiles } from './files.ts';
import type { Folder } from './folder.ts';
import { startIssuers } from './issuer.ts';
import type { Package } from './package.ts';
import { timeoutOf, variablesOf } from './settings.ts';

/** As `npm run package` does it: above, the settings are a file beside the bundle. */
const LARGEST_VARIABLE_BYTES = 3_584;
const SETTINGS_FILE = 'destinations.json';

export interface OwnLandscape {
  readonly landscape: Landscape;
  readonly deployed: Deployed;
  /** What to copy for each destination. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

/** @param options `dist` is the folder with the bundles, of this landscape alone */
export async function startOwn(
  made: Package,
  ports: Ports,
  folder: Folder,
  options: Pick<LandscapeOptions, 'onOutput' | 'report'> & { readonly dist: string },
): Promise<OwnLandscape> {
  const entries = entriesOf(made);
  const { region } = made;
  const issuers = needsIssuers(entries) ? await startIssuers({ port: ports.issuers }) : undefined;
  const landscape = await startLandscape({ ...options, tls: needsTls(entries), s3: true, ports, region });
  const stop = async () => {
    await issuers?.server.stop();
    await landscape.stop();
  };
  const own = await connectOwn(made, landscape, issuers);
  const queueTimeoutSeconds = timeoutOf('QueueLambdaFunction', made);
  const webhookTimeoutSeconds = timeoutOf('WebhookLambdaFunction', made);
  const settings = JSON.stringify(Object.fromEntries(own.map(({ name, destination }) => [name, destination.settings])));
  const isLarge = Buffer.byteLength(settings) > LARGEST_VARIABLE_BYTES;
  if (isLarge) await writeFile(join(options.dist, SETTINGS_FILE), settings);
  const deployed = await landscape.deploy({
    DESTINATIONS: isLarge ? `@${SETTINGS_FILE}` : settings,
    httpPort: ports.webhooks,
    webhookLogLevel: 'DEBUG',
    variables: variablesOf(made),
    ...(queueTimeoutSeconds === undefined ? {} : { queueTimeoutSeconds }),
    ...(webhookTimeoutSeconds === undefined ? {} : { webhookTimeoutSeconds }),
  });
  const webhooksUrl = `${deployed.httpApi.url}/webhooks`;
  const lines = await writeFiles(own, { folder, landscape, issuers, region, webhooksUrl });
  return { landscape, deployed, lines, stop };
}
