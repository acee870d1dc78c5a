/** The event source mapping: what wakes the function for the queue, and whether it does so as the settings say. */
import { type EventSourceMappingConfiguration, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import type { Destination } from '../../../../functions/settings/destination.ts';
import { writeDuration } from '../../replay/duration.ts';
import { whyNot } from '../clients.ts';
import { finding, fine, hindered, type Line } from '../line.ts';
import type { Looking } from '../looking.ts';
import type { FoundQueue } from './queue.ts';
import type { DeployedFunction } from './settings.ts';

/** As the alarm of the same name. */
const NOT_PICKED_UP_SECONDS = 900;
const LONGEST_TIMEOUT_SECONDS = 900;

export async function lookAtMapping(
  destination: Destination,
  queue: FoundQueue,
  queueFunction: DeployedFunction,
  looking: Looking,
): Promise<Line[]> {
  const all = await mappingsOf(queue.arn, looking);
  if (!Array.isArray(all)) return [all];
  const isOurs = ({ FunctionArn = '' }: EventSourceMappingConfiguration) =>
    FunctionArn.split(':')[6] === queueFunction.name;
  const mapping = all.find(isOurs);
  const foreign = all
    .filter((one) => !isOurs(one))
    .map(({ FunctionArn }) => FunctionArn ?? 'a function without a name');
  const lines = foreign.map((name) =>
    finding('mapping-foreign', `${name} polls the same queue: messages go to the one or the other`),
  );
  if (mapping === undefined) {
    return [
      ...lines,
      finding('mapping-missing', `nothing hands ${queue.name} to ${queueFunction.name}: messages wait`),
    ];
  }
  const found = [...state(mapping, destination, queue), ...settingsOf(mapping, destination, queue, queueFunction)];
  return [...lines, ...(found.length === 0 ? [asItShould(mapping)] : found)];
}

async function mappingsOf(queueArn: string, { clients, signal }: Looking) {
  try {
    const command = new ListEventSourceMappingsCommand({ EventSourceArn: queueArn });
    const { EventSourceMappings = [] } = await clients.lambda.send(command, { abortSignal: signal });
    return EventSourceMappings;
  } catch (error) {
    return hindered('mapping', 'mapping', whyNot(error, 'lambda:ListEventSourceMappings'));
  }
}

function asItShould({ BatchSize, ScalingConfig }: EventSourceMappingConfiguration): Line {
  const most = ScalingConfig?.MaximumConcurrency;
  return fine('mapping', 'mapping', `enabled, batches of ${BatchSize}, at most ${most} at once, partial replies`);
}

function state(
  { State = '', LastModified, LastProcessingResult = '', StateTransitionReason }: EventSourceMappingConfiguration,
  { name, enabled }: Destination,
  { visible, oldestSeconds }: FoundQueue,
): Line[] {
  const since = LastModified === undefined ? '' : ` since ${LastModified.toISOString().slice(0, 16)}Z`;
  if (/^Disabl/.test(State)) {
    const why = enabled
      ? `not by serverless.yml: npm run resume, with --destination ${name}`
      : `as serverless.yml says: ${name}.enabled is false`;
    return [finding('paused', `paused${since}, ${visible} waiting; ${why}`)];
  }
  const lines: Line[] = [];
  if (State !== 'Enabled')
    lines.push(finding('mapping-changing', `its state is ${State}${since}: ${StateTransitionReason}`));
  if (/PROBLEM/i.test(LastProcessingResult)) {
    lines.push(finding('mapping-failing', `Lambda says of its last poll: ${LastProcessingResult}`));
  }
  if (oldestSeconds !== undefined && oldestSeconds >= NOT_PICKED_UP_SECONDS && visible > 0) {
    const age = writeDuration(oldestSeconds * 1_000);
    lines.push(finding('not-picked-up', `${visible} messages wait, the oldest for ${age}, and nobody takes them`));
  }
  return lines;
}

function settingsOf(
  mapping: EventSourceMappingConfiguration,
  { name, batchSize, maximumConcurrency, timeoutSeconds }: Destination,
  { name: queue, visibilityTimeoutSeconds }: FoundQueue,
  { name: functionName, timeoutSeconds: functionSeconds }: DeployedFunction,
): Line[] {
  const { BatchSize, MaximumBatchingWindowInSeconds: windowSeconds = 0, ScalingConfig, FilterCriteria } = mapping;
  const most = ScalingConfig?.MaximumConcurrency;
  const wantedVisibility = 6 * functionSeconds + windowSeconds;
  const wantedTimeout = Math.min(LONGEST_TIMEOUT_SECONDS, 2 * timeoutSeconds + 30);
  const lines: Line[] = [];
  if (!mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures')) {
    const what = 'without ReportBatchItemFailures one message that is kept sends its whole batch again';
    lines.push(finding('partial-replies', what));
  }
  if ((FilterCriteria?.Filters ?? []).length > 0) {
    lines.push(finding('mapping-filter', 'it filters: Lambda deletes what does not match, and nobody is told'));
  }
  if (visibilityTimeoutSeconds < wantedVisibility) {
    const short = `${queue}: visibility timeout ${visibilityTimeoutSeconds} s, expected ${wantedVisibility} s or more`;
    lines.push(
      finding('visibility-timeout', `${short} (six times the function's, and the window): messages run twice`),
    );
  }
  if (BatchSize !== batchSize) lines.push(finding('batch-size', `is ${BatchSize}, ${name}.batchSize is ${batchSize}`));
  if ((BatchSize ?? 0) <= 10 && windowSeconds > 0) {
    lines.push(
      finding('batch-window', `messages are held back for ${windowSeconds} s, which batches up to 10 need not`),
    );
  }
  if (most !== maximumConcurrency) {
    const is = most === undefined ? 'has none' : `is ${most}`;
    lines.push(finding('maximum-concurrency', `${is}, ${name}.maximumConcurrency is ${maximumConcurrency}`));
  }
  if (functionSeconds < wantedTimeout) {
    const short = `${functionName} has ${functionSeconds} s, expected ${wantedTimeout} s`;
    lines.push(finding('function-timeout', `${short}: twice ${name}.timeoutSeconds and 30, for a second try in time`));
  }
  return lines;
}
