/** The profile that is meant where none is named. */
export const usualProfile = 'embedded';
