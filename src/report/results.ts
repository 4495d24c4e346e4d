import type { CommandResult } from '../contracts/command-results.ts';
import { answerText } from './results/answer.ts';
import { configText } from './results/config.ts';
import { datasetsText, datasetText } from './results/datasets.ts';
import { doctorText } from './results/doctor.ts';
import { indexText } from './results/index-verified.ts';
import { jobCancelledText, jobsText } from './results/jobs.ts';
import { modelsText, modelText } from './results/models.ts';
import { placesText } from './results/places.ts';
import { planText } from './results/plan.ts';
import { runLogsText, runsText, runText } from './results/runs.ts';
import type { Style } from './style.ts';

/** What a person reads of a command's result; empty where there is nothing to say. */
export function resultText(result: CommandResult, style: Style): string {
  switch (result.type) {
    case 'none':
      return '';
    case 'plan':
      return planText(result.plan, style);
    case 'runs':
      return runsText(result.runs, style);
    case 'run':
      return runText(result.view, style);
    case 'run-logs':
      return runLogsText(result.events, style);
    case 'config':
      return configText(result.values, result.origin, style);
    case 'doctor':
      return doctorText(result.findings, style);
    case 'jobs':
      return jobsText(result.jobs, style);
    case 'job-logs':
      return result.lines.join('\n');
    case 'job-cancelled':
      return jobCancelledText(result.id, result.was);
    case 'datasets':
      return datasetsText(result.datasets, style);
    case 'dataset':
      return datasetText(result, style);
    case 'models':
      return modelsText(result.models, style);
    case 'model':
      return modelText(result, style);
    case 'places':
      return placesText(result.places, style);
    case 'index-verified':
      return indexText(result, style);
    case 'answer':
      return answerText(result, style);
  }
}
