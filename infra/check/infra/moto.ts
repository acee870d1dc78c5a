/**
 * moto: the plain template made into a stack by a CloudFormation that shares nothing with the project, in a process without
 * an account; then what its services tell of each resource, property by property, and that the functions run the zip.
 */
import type { Finding, PackagedStage } from './finding.ts';
import { runTool } from './python.ts';
import { REGION } from './stages.ts';

const SCRIPT = `${import.meta.dirname}/created-stack.py`;

/** @throws Error if it did not come to a result */
export async function moto(stages: readonly PackagedStage[]): Promise<readonly Finding[]> {
  const findings = await Promise.all(stages.map(ofStage));
  return findings.flat();
}

async function ofStage({ name, template, zip }: PackagedStage): Promise<Finding[]> {
  const { output, errors } = await runTool('python', [SCRIPT, template, zip, REGION]);
  if (!output.trim().startsWith('[')) throw new Error(errors.trim().split('\n').at(-1) || 'moto said nothing');
  return (JSON.parse(output) as Omit<Finding, 'stage'>[]).map((finding) => ({ ...finding, stage: name }));
}
