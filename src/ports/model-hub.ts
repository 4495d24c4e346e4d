/** How far a transfer is: bytes of all files together. */
export interface HubProgress {
  readonly path: string;
  readonly done: number;
  readonly total: number;
}

/** A repository of models on a hub: `<owner>/<name>`. */
export interface HubRepository {
  readonly repository: string;
  /** A branch, a tag or a commit; `main` where none is named. */
  readonly revision?: string;
}

/** A place where models are shared. */
export interface ModelHub {
  /** Uploads a folder as one commit. A repository that is not there is made, private unless `public`; large files that the hub holds are not sent again. */
  push(
    target: HubRepository & { readonly public: boolean },
    folder: string,
    options: { readonly title: string; readonly signal: AbortSignal; readonly onProgress: (progress: HubProgress) => void },
  ): Promise<{ readonly commit: string; readonly url: string }>;
  /** Downloads every file of a revision into a folder, each verified; files that lie there whole are kept, begun ones go on. */
  pull(
    source: HubRepository,
    folder: string,
    options: { readonly signal: AbortSignal; readonly onProgress: (progress: HubProgress) => void },
  ): Promise<{ readonly commit: string }>;
}
