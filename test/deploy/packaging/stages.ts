/** The templates of the stages that `npm run check:infra` judges, packaged as it does. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageStage } from '../../../infra/check/infra/packaged.ts';
import { STAGES } from '../../../infra/check/infra/stages.ts';
import type { Template } from './cloudformation.ts';

export interface StageTemplates {
  readonly plain: Template;
  readonly everything: Template;
}

/** Takes some seconds for each. */
export async function packagedStages(): Promise<StageTemplates> {
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-stages-'));
  try {
    const templates: Record<string, Template> = {};
    for (const stage of STAGES) {
      const path = join(folder, `${stage.name}.json`);
      await packageStage(stage, {
        path,
        template: join(folder, 'token-relay.template.json'),
        zip: join(folder, 'token-relay.zip'),
      });
      templates[stage.name] = JSON.parse(await readFile(path, 'utf8'));
    }
    const { plain, everything } = templates;
    if (plain === undefined || everything === undefined)
      throw new Error(`expected two stages, found ${Object.keys(templates)}`);
    return { plain, everything };
  } finally {
    await rm(folder, { recursive: true });
  }
}
