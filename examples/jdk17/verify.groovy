// The program ran on a JDK without FFM, and streamed the model's answer.
List<String> lines = new File(basedir, 'build.log').readLines('UTF-8')
assert lines.any { it ==~ /Java (17|18|19|20|21), binding jna/ }
assert lines.contains('France')
return true
