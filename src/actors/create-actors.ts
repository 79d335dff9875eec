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
import { watchActor } from './watch-phases.ts';

export function createActors(deps: ActorDeps): RunActors {
  const inFlight = createInFlight();
  const { watch } = deps;
  return {
    'load-template': watchActor(watch, 'load', createLoadTemplate(deps)),
    'inject-parameters': watchActor(watch, 'inject', createInjectParameters(deps)),
    'plan-step': watchActor(watch, 'plan', createPlanStep(deps)),
    'offer-choice': createOfferChoice(deps),
    'prepare-step': watchActor(watch, 'prepare', createPrepareStep(deps, inFlight)),
    'execute-step': createExecuteStep(deps, inFlight),
    'parse-results': watchActor(watch, 'parse', createParseResults(deps)),
    'cancel-step': createCancelStep(deps, inFlight),
    'free-backend': createFreeBackend(deps),
    'collect-results': watchActor(watch, 'collect', createCollectResults(deps)),
    'release-attempts': createReleaseAttempts(deps, inFlight),
  };
}
