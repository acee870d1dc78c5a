/**
 * What serverless.yml includes: `functions` and `resources`, made from `custom`. CommonJS, since the framework loads
 * nothing else here; everything that is decided is decided in `stack/`.
 */
'use strict';
const { stack } = require('./stack/stack.ts');

const made = async ({ resolveConfigurationProperty, resolveVariable }) =>
  stack({
    service: await resolveConfigurationProperty(['service']),
    stage: await resolveVariable('sls:stage'),
    region: await resolveConfigurationProperty(['provider', 'region']),
    custom: await resolveConfigurationProperty(['custom']),
    provider: await resolveConfigurationProperty(['provider']),
    beside: {
      destinations: await resolveConfigurationProperty(['destinations']),
      layers: await resolveConfigurationProperty(['layers']),
      package: await resolveConfigurationProperty(['package']),
    },
  });

/** The framework asks for each part by itself: a warning is told once. */
const told = new Set();
const tell = ({ warnings, ...parts }) => {
  for (const line of warnings) if (!told.has(line)) console.warn(line);
  for (const line of warnings) told.add(line);
  return parts;
};

module.exports = {
  functions: async (framework) => tell(await made(framework)).functions,
  resources: async (framework) => tell(await made(framework)).resources,
};
