import type { CommandResult } from '../contracts/command-results.ts';
import type { Style } from './style.ts';

/** What a person reads of a command's result; empty where there is nothing to say. Each kind's words are loaded when they are needed. */
export async function resultText(result: CommandResult, style: Style): Promise<string> {
  switch (result.type) {
    case 'none':
      return '';
    case 'plan':
      return [
        (await import('./results/plan.ts')).planText(result.plan, style),
        ...(await Promise.all(
          (result.training ?? []).map(async (checked) => (await import('./results/preflight.ts')).preflightText(checked, style)),
        )),
      ].join('\n\n');
    case 'devices':
      return (await import('./results/devices.ts')).devicesText(result.devices, style);
    case 'device-released':
      return (await import('./results/devices.ts')).deviceReleasedText(result.uuid, result.released);
    case 'sweep-planned':
      return (await import('./results/sweep.ts')).sweepPlannedText(result, style);
    case 'sweep-finished':
      return (await import('./results/sweep.ts')).sweepText(result, style);
    case 'why':
      return (await import('./results/why.ts')).whyText(result, style);
    case 'runs-diff':
      return (await import('./results/run-diff.ts')).runDiffText(result, style);
    case 'runs':
      return (await import('./results/runs.ts')).runsText(result.runs, style);
    case 'run':
      return (await import('./results/runs.ts')).runText(result.view, result.failures, style);
    case 'gc':
      return (await import('./results/gc.ts')).gcText(result, style);
    case 'report':
      return `The report of run ${result.run} is in ${result.path}`;
    case 'failures':
      return (await import('./results/failure-cards.ts')).failureCardsText(result.failures, style);
    case 'run-logs':
      return (await import('./results/run-logs.ts')).runLogsText(result.entries, result.width, style);
    case 'config':
      return (await import('./results/config.ts')).configText(result.values, result.origin, style);
    case 'doctor':
      return (await import('./results/doctor.ts')).doctorText(result.findings, style);
    case 'jobs':
      return (await import('./results/jobs.ts')).jobsText(result.jobs, style);
    case 'job-logs':
      return result.lines.join('\n');
    case 'job-shown':
      return (await import('./results/job-view.ts')).jobText(result.view, style);
    case 'jobs-compared':
      return (await import('./results/job-view.ts')).jobsComparedText(result.views, style);
    case 'job-beat':
      return (await import('./results/job-view.ts')).beatText(result.view, style);
    case 'job-said':
      return style('yellow', result.text);
    case 'job-saving':
      return `Job ${result.id} was told to save; it goes on.`;
    case 'job-left':
      return `Job ${result.id} goes on. See: twin jobs attach ${result.id.slice(0, 12)}`;
    case 'run-detached':
      return (await import('./results/runs.ts')).runDetachedText(result, style);
    case 'run-cancelled':
      return (await import('./results/runs.ts')).runCancelledText(result);
    case 'job-cancelled':
      return (await import('./results/jobs.ts')).jobCancelledText(result.id, result.was);
    case 'datasets':
      return (await import('./results/datasets.ts')).datasetsText(result.datasets, style);
    case 'dataset':
      return (await import('./results/datasets.ts')).datasetText(result, style);
    case 'models':
      return (await import('./results/models.ts')).modelsText(result.models, style);
    case 'model':
      return (await import('./results/models.ts')).modelText(result, style);
    case 'alias-moved':
      return (await import('./results/registry.ts')).aliasMovedText(result, style);
    case 'models-diff':
      return (await import('./results/models-diff.ts')).modelsDiffText(result, style);
    case 'trace':
      return (await import('./results/lineage.ts')).traceText(result, style);
    case 'impact':
      return (await import('./results/lineage.ts')).impactText(result, style);
    case 'model-registered':
      return (await import('./results/registry.ts')).registeredText(result.version);
    case 'model-deleted':
      return (await import('./results/registry.ts')).deletedText(result.version);
    case 'model-pushed':
      return `${result.version} → ${result.repository}, commit ${result.commit.slice(0, 12)}\n${result.url}`;
    case 'model-exported':
      return (await import('./results/registry.ts')).exportedText(result);
    case 'schedules':
      return (await import('./results/schedules.ts')).schedulesText(result.schedules, style);
    case 'schedule-history':
      return (await import('./results/schedules.ts')).historyText(result.name, result.ticks, style);
    case 'schedule-changed':
      return (await import('./results/schedules.ts')).scheduleChangedText(result, style);
    case 'schedule-ticks':
      return (await import('./results/schedules.ts')).ticksText(result, style);
    case 'schedule-files':
      return (await import('./results/schedule-files.ts')).scheduleFilesText(result, style);
    case 'worker-attempt':
      return (await import('./results/worker.ts')).workerAttemptText(result, style);
    case 'worker-changes':
      return (await import('./results/worker.ts')).workerChangesText(result, style);
    case 'places':
      return (await import('./results/places.ts')).placesText(result.places, style);
    case 'watch-finished':
      return (await import('./results/watch.ts')).watchFinishedText(result, style);
    case 'dead-letters':
      return (await import('./results/watch.ts')).deadLettersText(result.letters, style);
    case 'dead-letter-shown':
      return (await import('./results/watch.ts')).deadLetterText(result.letter, style);
    case 'dead-letters-changed':
      return (await import('./results/watch.ts')).deadLettersChangedText(result);
    case 'reconciliation':
      return (await import('./results/watch.ts')).reconciliationText(result, style);
    case 'point-differences':
      return (await import('./results/index-verified.ts')).differencesText(result.differences);
    case 'index-verified':
      return (await import('./results/index-verified.ts')).indexText(result, style);
    case 'index-generations':
      return (await import('./results/index-generations.ts')).generationsText(result.index, result.generations, style);
    case 'forgotten':
      return (await import('./results/forgotten.ts')).forgottenText(result, style);
    case 'index-switched':
      return (await import('./results/index-generations.ts')).switchedText(result.index, result.from, result.to, style);
    case 'index-dropped':
      return `Dropped ${result.generation}: its points, its ledger and its cursor.`;
    case 'answer':
      return (await import('./results/answer.ts')).answerText(result, style);
  }
}
