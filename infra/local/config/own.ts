/** `npm start -- --config`: the landscape with the user's destinations on it, and what to copy. */
import type { Ports } from '../command/ports.ts';
import { type Deployed, type Landscape, type LandscapeOptions, startLandscape } from '../landscape.ts';
import { connectOwn, entriesOf, needsIssuers, needsTls } from './connect.ts';
import { writeFiles } from './files.ts';
import type { Folder } from './folder.ts';
import { startIssuers } from './issuer.ts';
import type { Package } from './package.ts';
import { timeoutOf, variablesOf } from './settings.ts';

export interface OwnLandscape {
  readonly landscape: Landscape;
  readonly deployed: Deployed;
  /** What to copy for each destination. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

export async function startOwn(
  made: Package,
  ports: Ports,
  folder: Folder,
  options: Pick<LandscapeOptions, 'onOutput' | 'report'>,
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
  const deployed = await landscape.deploy({
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
