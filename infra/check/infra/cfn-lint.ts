/**
 * cfn-lint: is each resource as CloudFormation's registry describes it, in the stage's region, as the framework deploys it
 * and in the plain template. Errors and warnings.
 */
import type { Finding, PackagedStage } from './finding.ts';
import { runTool } from './python.ts';
import { REGION } from './stages.ts';

interface Match {
  readonly Filename: string;
  readonly Rule: { readonly Id: string };
  readonly Location: { readonly Path: readonly (string | number)[] | null };
  readonly Message: string;
}

/** @throws Error if it did not come to a result */
export async function cfnLint(stages: readonly PackagedStage[]): Promise<readonly Finding[]> {
  const files = stages.flatMap(({ name, path, template }): [string, string][] => [
    [path, name],
    [template, `${name}, npm run template`],
  ]);
  const paths = files.map(([path]) => path);
  const nameOf = new Map(files);
  const { output, errors } = await runTool('cfn-lint', ['--format', 'json', '--regions', REGION, '--', ...paths]);
  if (!output.trim().startsWith('[')) throw new Error(errors.trim() || 'cfn-lint said nothing');
  return (JSON.parse(output) as Match[]).map(({ Filename, Rule, Location, Message }) => ({
    stage: nameOf.get(Filename) ?? Filename,
    rule: Rule.Id,
    // Resources/<logical id>/…; of an Output, or of a file that is no template, its own place.
    resource: String(Location.Path?.[1] ?? Location.Path?.[0] ?? 'template'),
    message: Message,
  }));
}
