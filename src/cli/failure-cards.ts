import type { FailureCard } from '../contracts/failure-card.ts';
import type { RunView } from '../contracts/run-view.ts';
import { failedSteps, failureCards } from '../history/failure-cards.ts';
import { lastLines } from '../logs/last-lines.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { StateFolder } from './state-folder.ts';

/** Cards that are made of one run; where more steps failed, the first ones say enough. */
const cardsMade = 20;
const linesOnCard = 20;

/** A card for each step of a run that failed by itself: from the journal, and from the logs of this machine. */
export async function cardsOf(journal: MetadataStore, state: StateFolder, view: RunView): Promise<readonly FailureCard[]> {
  const failed = failedSteps(view).slice(0, cardsMade);
  if (failed.length === 0) return [];
  const addresses = failed.map(({ address }) => address);
  const lines = await lastLines({ logs: state.logs, jobs: state.jobs, run: view.run }, addresses, linesOnCard);
  return failureCards(journal, view, failed, lines);
}
