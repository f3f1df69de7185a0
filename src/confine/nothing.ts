/** The entry of a process that is started to see whether it starts. */
process.exit(0);
