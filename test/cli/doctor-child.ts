/** Says what the doctor finds of a data directory, in a process whose files may not grow. */
import { checkDataDirectory } from '#cli/doctor/data-directory.ts';

const [, , directory = ''] = process.argv;
process.stdout.write(JSON.stringify(await checkDataDirectory(directory)));
