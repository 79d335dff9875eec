/** All actors of the machines over one set of dependencies. */
import { createCancelStep } from './cancel-step.ts';
import { createCollectResults } from './collect-results.ts';
import type { ActorDeps } from './deps.ts';
import { createExecuteStep } from './execute-step.ts';
import { createFreeBackend } from './free-backend.ts';
import { createInFlight } from './in-flight.ts';
import type { RunActors } from './logic.ts';
import { createOfferChoice } from './offer-choice.ts';
import { createParseResults } from './parse-results.ts';
import { createPrepareStep } from './prepare-step.ts';
import { createReleaseAttempts } from './release-attempts.ts';
import { createInjectParameters, createLoadTemplate, createPlanStep } from './run-actors.ts';

export function createActors(deps: ActorDeps): RunActors {
  const inFlight = createInFlight();
  return {
    'load-template': createLoadTemplate(deps),
    'inject-parameters': createInjectParameters(deps),
    'plan-step': createPlanStep(deps),
    'offer-choice': createOfferChoice(deps),
    'prepare-step': createPrepareStep(deps, inFlight),
    'execute-step': createExecuteStep(deps, inFlight),
    'parse-results': createParseResults(deps),
    'cancel-step': createCancelStep(deps, inFlight),
    'free-backend': createFreeBackend(deps),
    'collect-results': createCollectResults(deps),
    'release-attempts': createReleaseAttempts(deps, inFlight),
  };
}
