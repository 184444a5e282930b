// The program streamed the model's answer, and JDK 25 had nothing to warn about.
String log = new File(basedir, 'build.log').text
assert log.readLines().any { it.strip() == 'France' }
assert !log.contains('A restricted method')
assert !log.contains('SLF4J(W)')
true
