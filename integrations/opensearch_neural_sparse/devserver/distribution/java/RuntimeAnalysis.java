import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.th.ThaiTokenizer;
import org.opensearch.index.analysis.AnalyzerProvider;
import org.opensearch.index.analysis.PreBuiltAnalyzerProviderFactory;
import org.opensearch.indices.analysis.AnalysisModule.AnalysisProvider;

/**
 * The server's common analysis, without the thai analyzer where the Java runtime cannot segment Thai.
 *
 * A trimmed runtime lacks the dictionary, and a server that cannot build one of its analyzers creates no index at all.
 */
public class RuntimeAnalysis extends PARENT_CLASS {
  @Override
  public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
    Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> analyzers = new TreeMap<>(super.getAnalyzers());
    analyzers.keySet().removeIf(name -> !works(name));
    return analyzers;
  }

  @Override
  public List<PreBuiltAnalyzerProviderFactory> getPreBuiltAnalyzerProviderFactories() {
    return super.getPreBuiltAnalyzerProviderFactories().stream()
        .filter(factory -> works(factory.getName()))
        .collect(Collectors.toList());
  }

  private static boolean works(String analyzer) {
    return ThaiTokenizer.DBBI_AVAILABLE || !analyzer.equals("thai");
  }
}
