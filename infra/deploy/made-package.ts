/** What a package that was made says of itself: of which service, stage and region it is, and with which `custom`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '../../functions/untrusted.ts';
import type { ServiceInput } from './stack/destination.ts';

/** Of the framework. */
const STATE = 'serverless-state.json';

/**
 * @param folder `.serverless`, or what `--package` named
 * @returns undefined if there is no package
 */
export async function readPackage(folder: string): Promise<ServiceInput | undefined> {
  const state = await readJson(join(folder, STATE));
  const service = isRecord(state) ? state.service : undefined;
  if (!isRecord(service) || !isRecord(service.provider)) return undefined;
  return {
    service: String(service.service),
    stage: String(service.provider.stage),
    region: String(service.provider.region),
    custom: service.custom,
  };
}

/**
 * @param path of a compiled template
 * @returns the properties of each event source mapping in it, by its logical id; none if there is no template
 */
export async function readMappings(path: string): Promise<ReadonlyMap<string, string>> {
  const template = await readJson(path);
  const resources = isRecord(template) && isRecord(template.Resources) ? template.Resources : {};
  return new Map(
    Object.entries(resources).flatMap(([id, resource]): [string, string][] =>
      isRecord(resource) && resource.Type === 'AWS::Lambda::EventSourceMapping'
        ? [[id, JSON.stringify(resource.Properties)]]
        : [],
    ),
  );
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @returns what is not the same of both, in words; empty if one may take the place of the other */
export function differences(made: ServiceInput, asked: Omit<ServiceInput, 'custom'>): string[] {
  return (['service', 'stage', 'region'] as const)
    .filter((field) => made[field] !== asked[field])
    .map((field) => `${field} ${made[field]}, not ${asked[field]}`);
}
