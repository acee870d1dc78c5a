/**
 * `npm start`: builds the relay, starts the local landscape, registers a client as SAP's guide does, runs the main job
 * and then stays up for messages of one's own. `-- --once` ends after the main job; the exit code says whether all arrived.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs, styleText } from 'node:util';
import { build } from '../build/build.ts';
import { type Deployed, type Landscape, type LocalDestination, startLandscape } from './landscape.ts';
import { createDeliveryLog } from './story/delivery-log.ts';
import { startMonitor } from './story/monitor.ts';
import { orderFlow, STOCK_REQUEST, stockFlow } from './story/payloads.ts';
import { connectSenderAdapters } from './story/sender-adapters.ts';
import { shortLine } from './story/short-line.ts';
import { tellStory } from './story/story.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);
const { once } = readOptions();

const interrupted = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
});
process.exitCode = await run();

function readOptions(): { readonly once: boolean } {
  try {
    return parseArgs({ options: { once: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    process.stderr.write(
      `start: ${error instanceof Error ? error.message : 'unknown option'}; there is --once alone\n`,
    );
    process.exit(2);
  }
}

async function run(): Promise<number> {
  await build({ sourcemap: false });
  const log = createDeliveryLog();
  let follow: (line: string) => void = log.add;
  const landscape = await startLandscape({ environment: 'neo', s3: !once, onOutput: (line) => follow(line) });
  try {
    const webhookUser = { username: 'legacy', password: randomBytes(9).toString('base64url') };
    const orders = landscape.connect({
      name: 'orders',
      flow: { answer: orderFlow },
      webhook: { ...webhookUser, mode: 'queued' },
    });
    const stock = landscape.connect({
      name: 'stock',
      flow: { answer: stockFlow },
      webhook: { ...webhookUser, mode: 'direct' },
    });
    const sendings = connectSenderAdapters(landscape);
    const deployed = await landscape.deploy({ polling: false, webhookLogLevel: 'DEBUG' });
    introduce(landscape, deployed, orders);
    const told = tellStory({ landscape, deployed, orders, stock, sendings, webhookUser, log, print });
    const complete = await Promise.race([told, interrupted.then(() => false)]);
    if (once) return complete ? 0 : 1;

    follow = (line) => {
      log.add(line);
      const short = shortLine(line);
      if (short !== undefined) print(short);
    };
    const monitor = await startMonitor(landscape.runtimeNode);
    invite(landscape, deployed, orders, webhookUser, monitor.url);
    await interrupted;
    await monitor.stop();
    return complete ? 0 : 1;
  } finally {
    await landscape.stop();
  }
}

function introduce(landscape: Landscape, { httpApi }: Deployed, orders: LocalDestination): void {
  const { authorizationServer, runtimeNode } = landscape;
  print(styleText('bold', 'token-relay on a local landscape') + styleText('dim', '  (loopback only, Ctrl-C ends it)'));
  print('');
  print(
    `   authorization server   ${authorizationServer.url}   OAuth client "${orders.clientId}" registered for acme-dev.iflmap`,
  );
  print(`   role                   ESBMessaging.send assigned to the user "oauth_client_${orders.clientId}"`);
  print(`   runtime node           ${runtimeNode.url}   flows "orders" and "stock", HTTPS sender, CSRF-protected`);
  print(`   secret                 ${orders.secret}`);
  print(`   queue                  ${orders.queue.name}, dead letters in ${orders.deadLetterQueue.name}`);
  print(`   webhooks               ${httpApi.url}/webhooks/orders   queued: 202 once the message is safe`);
  print(`                          ${httpApi.url}/webhooks/stock    direct: the caller waits for the flow`);
}

function invite(
  { endpoints }: Landscape,
  { httpApi }: Deployed,
  { queue, deadLetterQueue }: LocalDestination,
  { username, password }: { username: string; password: string },
  monitorUrl: string,
): void {
  const body = JSON.stringify({ QueueUrl: queue.url, MessageBody: '{"order":1}' });
  print('');
  print(
    styleText(
      'bold',
      'Now yours. The landscape stays up and logs each delivery below; copy these into another terminal:',
    ),
  );
  print('');
  print(styleText('dim', '# a message through the queue (or any AWS SDK with this endpoint)'));
  print(
    `curl -s ${endpoints.AWS_ENDPOINT_URL_SQS} -H 'X-Amz-Target: AmazonSQS.SendMessage' -H 'Content-Type: application/x-amz-json-1.0' -d '${body}'`,
  );
  print('');
  const post = (name: string, data: string) =>
    `curl -i ${httpApi.url}/webhooks/${name} -u ${username}:${password} -H 'Content-Type: application/json' -d '${data}'`;
  print(styleText('dim', '# a webhook that is queued: 202 and the message id; it is delivered a moment later'));
  print(post('orders', '{"order":2}'));
  print('');
  print(styleText('dim', "# a webhook that is direct: the flow's own answer"));
  print(post('stock', STOCK_REQUEST));
  print('');
  print(styleText('dim', '# the dead letter of the story; --send would put it back'));
  print(
    `AWS_ENDPOINT_URL_SQS=${endpoints.AWS_ENDPOINT_URL_SQS} npm run replay -- --dead-letter-queue ${deadLetterQueue.url} --queue ${queue.url}`,
  );
  print('');
  print(styleText('dim', '# what has arrived, flow by flow; the path /<message id> gives a body back'));
  print(`curl -s ${monitorUrl}`);
  print('');
}
