/** The queue function as it is deployed, and the settings that it reads: whatever serverless.yml says meanwhile. */
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { RelayError } from '../../../../functions/error.ts';
import type { Destination } from '../../../../functions/settings/destination.ts';
import { nearest } from '../../../../functions/settings/nearest.ts';
import { readSettings } from '../../../../functions/settings/settings.ts';
import { readPackage } from '../../../deploy/made-package.ts';
import { readConfiguration } from '../../../deploy/stack/configuration.ts';
import { DESTINATIONS_FILE } from '../../../deploy/stack/variable.ts';
import { withLandscapeHint } from '../../place.ts';
import { Mistake } from '../../replay/mistake.ts';
import type { DoctorCommand } from '../arguments.ts';
import { errorName, whyNot } from '../clients.ts';
import { finding, fine, hindered, type Line } from '../line.ts';
import type { Looking } from '../looking.ts';

export interface DeployedFunction {
  readonly name: string;
  readonly timeoutSeconds: number;
  /** When it got its code and settings, epoch milliseconds; absent: not told. */
  readonly deployedAt?: number;
}

export interface DeployedSettings {
  readonly lines: readonly Line[];
  readonly queueFunction?: DeployedFunction;
  /** Those that can be used. */
  readonly destinations: readonly Destination[];
}

/** @throws Mistake for a destination that is not there */
export async function lookAtSettings(command: DoctorCommand, looking: Looking): Promise<DeployedSettings> {
  const { service, stage } = command;
  const name = `${service}-${stage}-queue`;
  const found = await readFunction(name, command, looking);
  if (!('variable' in found)) return { lines: [found], destinations: [] };
  const { variable, state, queueFunction } = found;
  const active = state ?? fine('settings', 'function', `${name} is active, with ${queueFunction.timeoutSeconds} s`);
  const settings = await readDestinations(variable, command);
  return { lines: [active, ...settings.lines], queueFunction, destinations: settings.destinations };
}

async function readFunction(name: string, command: DoctorCommand, { clients, signal }: Looking) {
  try {
    const read = new GetFunctionConfigurationCommand({ FunctionName: name });
    const {
      Timeout = 3,
      Environment,
      State,
      StateReason,
      LastModified,
      ...update
    } = await clients.lambda.send(read, {
      abortSignal: signal,
    });
    const isActive = (State ?? 'Active') === 'Active' && update.LastUpdateStatus !== 'Failed';
    const why = StateReason ?? update.LastUpdateStatusReason ?? 'no reason is told';
    return {
      variable: Environment?.Variables?.DESTINATIONS,
      queueFunction: {
        name,
        timeoutSeconds: Timeout,
        ...(LastModified === undefined ? {} : { deployedAt: Date.parse(LastModified.replace(/\+0000$/, 'Z')) }),
      },
      state: isActive
        ? undefined
        : finding('function-not-active', `${name}: state ${State}, last update ${update.LastUpdateStatus}: ${why}`),
    };
  } catch (error) {
    if (errorName(error) === 'ResourceNotFoundException') {
      return finding(
        'function-missing',
        `there is no function ${name} in ${command.region}: check --stage, --region, --service`,
      );
    }
    const why = whyNot(error, 'lambda:GetFunctionConfiguration');
    return hindered('settings', 'function', withLandscapeHint(why, command));
  }
}

interface ReadDestinations {
  readonly lines: readonly Line[];
  readonly destinations: readonly Destination[];
}

async function readDestinations(variable: string | undefined, command: DoctorCommand): Promise<ReadDestinations> {
  const text = variable === `@${DESTINATIONS_FILE}` ? await packagedDestinations(command) : variable;
  if (typeof text === 'object') return { lines: [text], destinations: [] };
  try {
    const { destinations } = readSettings({ DESTINATIONS: text });
    const chosen = [...destinations].filter(([name]) => name === (command.destination ?? name));
    if (chosen.length === 0) throw unknownDestination(command, [...destinations.keys()]);
    const lines = chosen.map(([name, settings]) => ({
      ...('error' in settings
        ? finding('settings-invalid', settings.error.message)
        : fine('settings', 'settings', `${settings.adapter} to ${settings.url ?? settings.path}`)),
      destination: name,
    }));
    return { lines, destinations: chosen.flatMap(([, settings]) => ('error' in settings ? [] : [settings])) };
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return { lines: [finding('settings-unreadable', error.message)], destinations: [] };
  }
}

/** Large settings are a file in the function's zip; the package that it was deployed from may still be here. */
async function packagedDestinations({ service, stage, region }: DoctorCommand): Promise<string | Line> {
  const made = await readPackage('.serverless');
  if (made?.service !== service || made.stage !== stage || made.region !== region) {
    const make = `npm run package -- --stage ${stage} --region ${region}`;
    return hindered(
      'settings',
      'settings',
      `they are in the function's zip, as ${DESTINATIONS_FILE}: make them anew, ${make}`,
    );
  }
  const { destinations } = readConfiguration(made);
  return JSON.stringify(Object.fromEntries(destinations.map(({ settings, written }) => [settings.name, written])));
}

function unknownDestination({ destination = '', stage, port }: DoctorCommand, names: readonly string[]): Mistake {
  const meant = nearest(destination, [...names]);
  const guess = meant === undefined ? `there are ${names.join(', ')}` : `did you mean ${meant}?`;
  const other = stage === 'local' && port === undefined ? '; of a landscape at another port: --port' : '';
  return new Mistake(`--destination ${destination}: stage ${stage} has no such destination, ${guess}${other}`);
}
