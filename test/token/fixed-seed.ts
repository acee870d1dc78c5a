/**
 * For mutation testing: property tests take the same cases each time, so that the same mutants survive each time.
 */
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_260_101 });
