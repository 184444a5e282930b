// The program streamed the model's answer, and neither Java nor SLF4J had anything to warn about.
List<String> lines = new File(basedir, 'build.log').readLines('UTF-8')
boolean answered = lines.any { it.strip() == 'France' }
List<String> warnings = lines.findAll { it.contains('restricted method') || it.startsWith('SLF4J(W)') }
assert answered && warnings.isEmpty()
