import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.HashMap;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;

/**
 * Runs one node: Launcher DISTRIBUTION CONFIG NAME.
 *
 * The official main class refuses to run as root and installs a security manager, which recent Java has no more.
 * With -Ddevserver.lifeline=true the node ends when its standard input does, so it cannot outlive its owner.
 */
public class Launcher {
  public static void main(String[] arguments) throws InterruptedException {
    try {
      Node node = start(Paths.get(arguments[0]), Paths.get(arguments[1]), arguments[2]);
      Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
    } catch (Throwable error) {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
    if (Boolean.getBoolean("devserver.lifeline")) {
      awaitEndOfInput();
      System.exit(0);
    }
    Thread.currentThread().join(); // for ever: a node has no thread that keeps the process alive
  }

  private static Node start(Path distribution, Path config, String name) throws Exception {
    Settings home = Settings.builder().put("path.home", distribution.toString()).build();
    Environment environment =
        InternalSettingsPreparer.prepareEnvironment(home, new HashMap<>(), config, () -> name);
    LogConfigurator.registerErrorListener();
    LogConfigurator.configure(environment);
    Node node = new Node(environment) {};
    node.start();
    return node;
  }

  private static void close(Node node) {
    try {
      node.close();
    } catch (Exception error) {
      error.printStackTrace();
    }
  }

  private static void awaitEndOfInput() {
    try {
      while (System.in.read() >= 0) {}
    } catch (java.io.IOException ended) {
      // A broken pipe is the end of the owner, too.
    }
  }
}
